"""Names that clients give to the fields of a request, and which fields of it have no effect.

Peers and upstreams call the same thing differently, and clients are configured for one of them and sent to another.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.dialects.cleaning import clean_texts, printable_name, without_empty
from imagegate.dialects.shapes import parse_size

_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text_prompt", "prompt_text", "text", "input"),
    "model": ("model_id", "model_name", "engine"),
    "n": (
        "num_images", "number_of_images", "num_outputs", "batch_size", "image_count", "num_images_per_prompt",
        "sample_count", "num_samples",
    ),
    "size": ("image_size", "resolution"),
    "width": ("image_width",),
    "height": ("image_height",),
    "aspect_ratio": ("ratio", "aspect"),
    "num_inference_steps": ("steps", "sampling_steps", "sample_steps", "sampler_steps", "num_steps", "inference_steps"),
    "guidance_scale": ("cfg_scale", "guidance", "cfg"),
    "negative_prompt": ("negative_text", "negative"),
    "seed": ("random_seed", "noise_seed", "manual_seed"),
    "output_format": ("format", "image_format", "file_format", "output_mime_type", "mime_type"),
}  # fmt: skip
"""Field to its other names, in snake case."""
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NESTED = ("extra_body",)
"""Objects whose fields some clients mean to be those of the body itself."""
_NOTHING: tuple[Any, ...] = ([], {})
"""Values of a field that is not known which ask for nothing."""
_MOST_NAMES = 20
"""Of fields without effect that are reported: they are stored with every attempt."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A request's fields by the names that imagegate knows them by."""

    known: Mapping[str, Any]
    sent_names: Mapping[str, str]
    """What the caller called each of them, where that differs."""
    unused: tuple[str, ...]
    """Fields without effect, as the caller calls them."""

    def sent_name(self, field: str) -> str:
        """What the caller called the field."""
        return self.sent_names.get(field, field)


def read_fields(document: Mapping[str, Any], known_names: Mapping[str, Any]) -> Fields:
    """Sort the fields of a body; `known_names` has those that have an effect."""
    known, sent_names, unused = dict[str, Any](), dict[str, str](), list[str]()
    for name, value in _flattened(document):
        field = name if name in known_names else _field_of(name, value)
        if field not in known_names or (field in known and known[field] != value):
            unused += [] if value in _NOTHING else [printable_name(name)]
        elif field not in known:
            known[field] = value
            sent_names |= {field: name} if field != name else {}
    known, cleaned = clean_texts(known, ("prompt", "negative_prompt"))
    if known.get("partial_images") not in (None, 0, "0"):
        unused.append("partial_images")
    return Fields(known, sent_names, tuple(dict.fromkeys([*cleaned, *unused]))[:_MOST_NAMES])


def _flattened(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields that are set; those with names of our own first, so that a synonym never replaces one."""
    nested = [value for name, value in document.items() if name in _NESTED and isinstance(value, Mapping)]
    outer = {name: value for name, value in document.items() if name not in _NESTED or not isinstance(value, Mapping)}
    fields = [field for level in (outer, *nested) for field in without_empty(level).items()]
    yield from sorted(fields, key=lambda field: field[0] in _FIELD_OF)


def _field_of(name: str, value: Any) -> str:
    snake = _HUMP.sub("_", name.strip()).replace("-", "_").lower()
    field = _FIELD_OF.get(snake, snake)
    return field if field != "size" or snake == "size" or _is_size(value) else name


def _is_size(value: Any) -> bool:
    """False for a class of resolutions, such as `1K`, which some servers have beside the ratio."""
    try:
        return parse_size(value) is not None
    except ValueError:
        return False
