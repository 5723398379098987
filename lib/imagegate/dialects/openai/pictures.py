"""Input pictures in a JSON body, under the names that clients give them."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.dialects.cleaning import printable_name
from imagegate.dialects.openai.fields import flatten
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.ids import is_id
from imagegate.domain.pictures.headers import content_type_of

_IMAGES = frozenset(
    {
        "image", "images", "image_url", "image_urls", "image_base64", "image_b64", "base64_image", "image_data",
        "input_image", "input_images", "input_image_url", "input_image_urls", "init_image", "init_images",
        "reference_image", "reference_images", "reference_image_url", "reference_image_urls", "source_image",
        "ref_image", "ref_images", "base_image", "original_image", "img", "image_file", "images_urls", "image_input",
    }
)  # fmt: skip
_MASKS = frozenset({"mask", "mask_url", "mask_image", "mask_image_url", "mask_base64", "mask_b64"})
_INDEX = re.compile(r"\[\d*\]$|_?\d{1,2}$")
"""Of one of several: `image[]`, `image[0]`, and `image_2` as Black Forest Labs and forms have it."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIKE_A_PICTURE = re.compile(r"image|picture|photo|mask|frame|sketch|markup|drawing")
_DATA_URL = re.compile(r"data:|[a-z/+.-]*;?base64,", re.IGNORECASE)
"""Some clients leave out how it begins."""
_URL_SAFE = str.maketrans("-_", "+/")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
UPLOAD = "upload:"
"""In front of the id of an upload, in place of a picture."""
MADE_HERE = "picture:"
"""In front of the id of a picture that this gateway made, in place of a picture."""
_UPLOAD_FIELD = re.compile(r"(.+)\[upload\]")
_IN_OBJECTS = (
    "image_url", "url", "uri", "src", "b64_json", "b64", "base64", "data", "bytes", "bytesBase64Encoded", "image",
    "source", "inline_data", "inlineData",
)  # fmt: skip
_LONGEST_START = 64
"""Characters of base64 in which the first bytes of a picture are."""
HOW_TO_SEND = "Send the picture itself in a form or as data:image/png;base64,…, or its https address."


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture of a body: an address, or base64 with or without `data:` before it."""

    param: str
    """Where in the body it is."""
    text: str

    @property
    def field(self) -> str:
        """The field that it is in."""
        return self.param.partition(".")[0]

    @property
    def is_elsewhere(self) -> bool:
        """True when it has to be fetched: it is an address, an upload, or a picture that this gateway made."""
        return bool(_ADDRESS.match(self.text)) or self.text.startswith((UPLOAD, MADE_HERE))


@dataclass(frozen=True, slots=True)
class SentPictures:
    """A body, taken apart."""

    fields: Mapping[str, Any]
    """What is no picture."""
    images: tuple[Reference, ...]
    mask: Reference | None


def kind_of(name: str) -> str | None:
    """`image` or `mask` for a field of a picture, in JSON or in a form; `None` for any other."""
    snake = _HUMP.sub("_", name).lower()
    names = {snake, _INDEX.sub("", snake)}
    return "image" if names & _IMAGES else "mask" if names & _MASKS else None


def take_pictures(document: Mapping[str, Any]) -> SentPictures:
    """Take the pictures out of a body. Raises InvalidRequest for one that no provider could be given."""
    found: dict[str, list[Reference]] = {"image": [], "mask": []}
    fields = dict[str, Any]()
    for name, value in flatten(document).items():
        if kind := kind_of(name):
            found[kind] += _references(printable_name(name), value)
        else:
            _refuse_picture(name, value)
            fields[name] = value
    images, masks = found["image"], found["mask"]
    if len(masks) > 1:
        raise InvalidRequest("A request has at most one mask.", param=masks[1].param)
    return SentPictures(fields, tuple(images), masks[0] if masks else None)


def read_reference(reference: Reference) -> bytes:
    """Decode a picture that came in the body. Raises InvalidRequest when it is no base64."""
    param, (head, comma, data) = reference.param, reference.text.partition(",")
    if comma and not head.lower().endswith("base64"):
        raise InvalidRequest(f"'{param}' must be a data URL in base64.", param=param, remedy=HOW_TO_SEND)
    try:
        return _decode("".join((data if comma else head).split()))
    except ValueError:
        raise InvalidRequest(f"'{param}' is not valid base64.", param=param, remedy=HOW_TO_SEND) from None


def _decode(text: str) -> bytes:
    """Base64 or base64url, with or without its padding. Raises ValueError for anything else."""
    plain = text.translate(_URL_SAFE).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _references(param: str, value: Any) -> Iterator[Reference]:
    if value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        return
    if isinstance(value, list):
        for at, entry in enumerate(value):
            yield from _references(f"{param}.{at}", entry)
        return
    yield Reference(param, _text(param, value))


def _text(param: str, value: Any) -> str:
    """The address or base64 in a text, or in an object such as `{"image_url": {"url": …}}`, or an upload."""
    while isinstance(value, Mapping):
        if isinstance(upload := value.get("upload"), str):
            value = f"{UPLOAD}{upload}"
            break
        value = next((value[name] for name in _IN_OBJECTS if value.get(name)), None)
    text = value.strip() if isinstance(value, str) else ""
    if _ADDRESS.match(text) or _DATA_URL.match(text) or _is_upload(text) or _is_picture(text):
        return text
    raise InvalidRequest(f"'{param}' must be a picture.", param=param, remedy=HOW_TO_SEND)


def _is_upload(text: str) -> bool:
    return text.startswith(UPLOAD) and is_id(text.removeprefix(UPLOAD))


def name_in_form(name: str) -> tuple[str, str]:
    """The field that `image[upload]`, as clients write objects in forms, belongs to, and what precedes its text."""
    found = _UPLOAD_FIELD.fullmatch(name)
    return (found[1], UPLOAD) if found and kind_of(found[1]) else (name, "")


def _is_picture(text: str) -> bool:
    """True for base64 that begins like a picture."""
    try:
        return content_type_of(_decode(text[:_LONGEST_START])) is not None
    except ValueError:
        return False


def _refuse_picture(name: str, value: Any) -> None:
    """Raises InvalidRequest for a picture in any other field: ignoring it would give an unrelated picture."""
    texts = list(_texts(value))
    named = _LIKE_A_PICTURE.search(name.lower())
    if any(text.startswith("data:image/") or _is_picture(text) or (named and _ADDRESS.match(text)) for text in texts):
        label = printable_name(name)
        raise InvalidRequest(
            f"No provider here takes a picture in '{label}'.",
            param=label,
            remedy=f"Send it as '{'mask' if 'mask' in name.lower() else 'image'}', or leave it out.",
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping | list):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(entry)
