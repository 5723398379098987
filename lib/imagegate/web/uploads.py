"""Pictures in requests: files of a form, or data URLs in JSON."""

import base64
import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from imagegate.dialects.parsing import parse_document
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.request.pictures import LARGEST_PIXELS, content_type_of, pixels_of
from imagegate.domain.request.request import InputImage
from imagegate.web.forms import Part, is_form, parse_form

MOST = 16
LARGEST_WITH_PICTURES = 6 * 1024 * 1024
"""Bytes of a JSON body; Lambda's own limit."""
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_DATA_URL = "data:"
_FILES = ("image", "image[]")
"""The fields that a form may repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A request with pictures, before its fields are checked."""

    fields: Mapping[str, Any]
    images: tuple[bytes, ...]
    mask: bytes | None = None
    name: str = "image"
    """The field in which the caller sent the pictures."""


async def read_upload(request: Request) -> Upload:
    """Read the fields and pictures of the request. Raises InvalidRequest."""
    content_type, body = request.headers.get("content-type", ""), await request.body()
    if is_form(content_type):
        return _parse_form_parts(parse_form(content_type, body, most_files=MOST + 1))
    return _parse_json(parse_document(body, LARGEST_WITH_PICTURES))


def _parse_form_parts(parts: Sequence[Part]) -> Upload:
    images, mask, fields = [], None, {}
    count = Counter(part.name for part in parts)
    for part in parts:
        name = part.name
        if name not in _FILES and count[name] > 1:
            # A proxy that checks requests before imagegate may read the other value.
            raise InvalidRequest(f"The form has '{name}' more than once.", param=name, remedy="Send it once.")
        if not part.is_file:
            if name in (*_FILES, "mask"):
                remedy = "Send the picture itself; its part of the form has a filename, as with curl's -F image=@a.png."
                raise InvalidRequest(f"'{name}' must be a file.", param=name, remedy=remedy)
            fields[name] = part.text
        elif name == "mask":
            mask = part.body
        elif name in _FILES:
            images.append(part.body)
        else:
            # Above all `markup`: its drawing is an instruction, so ignoring it would be wrong.
            raise InvalidRequest(f"No provider here accepts a file '{name}'.", param=name, remedy="Leave it out.")
    return Upload(fields=fields, images=tuple(images), mask=mask)


def _parse_json(document: dict[str, Any]) -> Upload:
    fields = {name: value for name, value in document.items() if name not in ("images", "mask")}
    listed = document.get("images") or []
    if not isinstance(listed, list):
        raise InvalidRequest("images must be a list.", param="images")
    images = tuple(_decode_reference(entry, f"images.{at}") for at, entry in enumerate(listed))
    mask = document.get("mask")
    mask = _decode_reference(mask, "mask") if mask else None
    return Upload(fields=fields, images=images, mask=mask, name="images")


def _decode_reference(reference: Any, param: str) -> bytes:
    url = reference.get("image_url") if isinstance(reference, dict) else None
    if not isinstance(url, str) or not url.startswith(_DATA_URL) or ";base64," not in url:
        raise InvalidRequest(
            f"{param} must be an object with a data URL in image_url.",
            param=param,
            remedy="Send the picture itself, as data:image/png;base64,… or in a form.",
        )
    try:
        return base64.b64decode(url.partition(";base64,")[2], validate=True)
    except ValueError:
        raise InvalidRequest(f"{param} is not valid base64.", param=param) from None


def describe_inputs(upload: Upload) -> tuple[tuple[InputImage, ...], InputImage | None, dict[str, bytes]]:
    """The pictures and the mask as keys of the bucket, and their bytes by these keys.

    The keys belong to this request, so that they can be removed with it. Raises InvalidRequest for other files.
    """
    if not upload.images:
        raise InvalidRequest(f"Missing required parameter: '{upload.name}'.", param=upload.name)
    if len(upload.images) > MOST:
        raise InvalidRequest(f"A request may have at most {MOST} pictures.", param=upload.name)
    folder = f"inputs/{secrets.token_hex(10)}"
    inputs = tuple(_describe_input(body, upload.name, folder) for body in upload.images)
    mask = None if upload.mask is None else _describe_input(upload.mask, "mask", folder)
    bodies = {entry.key: body for entry, body in zip(inputs, upload.images, strict=True)}
    return inputs, mask, bodies | ({mask.key: upload.mask} if mask and upload.mask else {})


def _describe_input(body: bytes, param: str, folder: str) -> InputImage:
    content_type = content_type_of(body)
    if content_type is None:
        raise InvalidRequest(f"'{param}' is not a PNG, JPEG or WebP picture.", param=param)
    pixels = pixels_of(body)
    if not 0 < pixels <= LARGEST_PIXELS:
        message = f"has {pixels} pixels; at most {LARGEST_PIXELS} are accepted" if pixels else "is damaged"
        raise InvalidRequest(f"'{param}' {message}.", param=param)
    digest = hashlib.sha256(body).hexdigest()[:40]
    return InputImage(f"{folder}/{digest}.{_EXTENSIONS[content_type]}", content_type)
