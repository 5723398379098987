"""Names that clients give to the fields of a request, and which fields of it have no effect.

Peers and upstreams call the same thing differently, and clients are configured for one of them and sent to another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.dialects.cleaning import clean_texts, printable_name, without_empty
from imagegate.dialects.shapes import parse_size

_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text_prompt", "prompt_text", "text", "input", "positive_prompt"),
    "model": ("model_id", "model_name", "engine"),
    "n": (
        "num_images", "number_of_images", "num_outputs", "batch_size", "image_count", "num_images_per_prompt",
        "sample_count", "num_samples", "samples", "number_results", "n_images", "images_count", "num_generations",
        "count",
    ),
    "size": ("image_size", "resolution", "dimensions", "output_size", "target_size"),
    "width": ("image_width", "output_width", "target_width", "w"),
    "height": ("image_height", "output_height", "target_height", "h"),
    "aspect_ratio": ("ratio", "aspect", "image_aspect_ratio", "image_ratio"),
    "num_inference_steps": (
        "steps", "sampling_steps", "sample_steps", "sampler_steps", "num_steps", "inference_steps", "step_count",
        "diffusion_steps", "num_sampling_steps",
    ),
    "guidance_scale": ("cfg_scale", "guidance", "cfg", "cfg_value", "classifier_free_guidance"),
    "negative_prompt": ("negative_text", "negative", "neg_prompt", "negative_prompts"),
    "seed": ("random_seed", "noise_seed", "manual_seed", "seed_value", "rng_seed"),
    "output_format": ("format", "image_format", "file_format", "output_mime_type", "mime_type"),
}  # fmt: skip
"""Field to its other names, in snake case."""
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NESTED = frozenset({"extra_body", "extra_params", "parameters", "input", "image_config"})
"""Objects whose fields some clients mean to be those of the body itself, as other APIs have them."""
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


def read_fields(document: Mapping[str, Any], known_names: Mapping[str, Any]) -> Fields:
    """Sort the fields of a body; `known_names` has those that have an effect."""
    known, sent_names, unused = dict[str, Any](), dict[str, str](), list[str]()
    # Names of our own first, so that a synonym never replaces one.
    for name, value in sorted(without_empty(document).items(), key=lambda field: field[0] in _FIELD_OF):
        if value is None:
            continue  # a required field
        field = name if name in known_names else _field_of(name, value)
        if field not in known_names or (field in known and known[field] != value):
            unused += [] if value in _NOTHING else [printable_name(name)]
        elif field not in known:
            known[field] = value
            sent_names |= {field: name} if field != name else {}
    known, cleaned = clean_texts(known, ("prompt", "negative_prompt"))
    return Fields(known, sent_names, tuple(dict.fromkeys([*cleaned, *unused]))[:_MOST_NAMES])


def flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the fields of nested objects in it; those of its own that are set come before them."""
    nested = {name: value for name, value in document.items() if isinstance(value, Mapping) and _snake(name) in _NESTED}
    flat = {name: value for name, value in document.items() if name not in nested}
    for name, fields in nested.items():
        inner = flatten(fields)
        contrary = {field for field in inner if field in without_empty(flat, ()) and flat[field] != inner[field]}
        flat |= {field: value for field, value in inner.items() if field not in contrary}
        flat |= {f"{name}.{field}": inner[field] for field in sorted(contrary)}
    return flat


def _snake(name: str) -> str:
    return _HUMP.sub("_", name.strip()).replace("-", "_").lower()


def _field_of(name: str, value: Any) -> str:
    snake = _snake(name)
    field = _FIELD_OF.get(snake, snake)
    return field if field != "size" or snake == "size" or _is_size(value) else name


def _is_size(value: Any) -> bool:
    """False for a class of resolutions, such as `1K`, which some servers have beside the ratio."""
    try:
        return parse_size(value) is not None
    except ValueError:
        return False
