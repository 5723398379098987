"""Pictures in requests: files of a form, or in JSON base64, data URLs and https addresses."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from imagegate.dialects.openai.pictures import (
    HOW_TO_SEND,
    Reference,
    SentPictures,
    kind_of,
    name_in_form,
    read_reference,
    take_pictures,
)
from imagegate.dialects.parsing import LARGEST, parse_document
from imagegate.domain.errors import InvalidRequest, TooLarge
from imagegate.domain.pictures.container import DamagedPicture
from imagegate.domain.pictures.headers import LARGEST_PIXELS, MOST_FRAMES, content_type_of, pixels_of, size_of
from imagegate.domain.pictures.inputs import count_frames, fits_mask, without_private_data
from imagegate.domain.request.request import InputImage
from imagegate.web.forms import Part, is_form, is_url_encoded, parse_form, parse_url_encoded
from imagegate.web.http import LARGEST_WITH_PICTURES

MOST = 16
FetchAll = Callable[[Sequence[str]], Sequence[bytes]]
"""Fetches pictures from addresses that a caller gave. Raises InvalidRequest."""
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_SMALLER = (
    "Send fewer or smaller pictures, or their https addresses in place of their bytes, or upload them first: "
    "POST /v1/uploads (docs/requests.md#large-pictures)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A request with pictures, before its fields are checked."""

    fields: Mapping[str, Any]
    images: tuple[bytes, ...]
    mask: bytes | None = None
    name: str = "image"
    """The field in which the caller sent the pictures."""

    @property
    def has_pictures(self) -> bool:
        """True when there is an input picture, or a mask that needs one."""
        return bool(self.images) or self.mask is not None


async def read_upload(request: Request, fetch_all: FetchAll) -> Upload:
    """Read the fields and pictures of the request. Raises InvalidRequest."""
    content_type, body = request.headers.get("content-type", ""), await request.body()
    if is_form(content_type):
        return _parse_form_parts(parse_form(content_type, body, most_files=MOST + 1), fetch_all)
    if is_url_encoded(content_type, body):
        return _parse_form_parts(parse_url_encoded(body), fetch_all)
    try:
        upload = parse_upload(parse_document(body, LARGEST_WITH_PICTURES), fetch_all)
    except TooLarge as error:
        error.remedy = _SMALLER
        raise
    if not upload.has_pictures and len(body) > LARGEST:
        raise TooLarge(f"The body has {len(body)} bytes; at most {LARGEST} are accepted.")
    return upload


def _parse_form_parts(parts: Sequence[Part], fetch_all: FetchAll) -> Upload:
    document, files, texts = dict[str, Any](), dict[str, list[bytes]](), dict[str, list[str]]()
    parts = [_with_reference(part) for part in parts]
    count = Counter(part.name for part in parts)
    for part in parts:
        name, kind = part.name, kind_of(part.name)
        if kind != "image" and count[name] > 1:
            # A proxy that checks requests before imagegate may read the other value.
            raise InvalidRequest(f"The form has '{name}' more than once.", param=name, remedy="Send it once.")
        if part.is_file and not part.body and not part.filename:
            continue  # a browser sends such a part for a file that was not chosen
        if part.is_file and kind is None:
            # Above all `markup`: its drawing is an instruction, so ignoring it would be wrong.
            message = f"No provider here accepts a file '{name}'."
            raise InvalidRequest(message, param=name, remedy="Send the picture as 'image', or leave it out.")
        if part.is_file:
            files.setdefault(kind or "", []).append(part.body)
        elif kind:
            texts.setdefault(name, []).append(part.text)
        else:
            document[name] = part.text
    document |= {name: found if len(found) > 1 else found[0] for name, found in texts.items()}
    fields_sent = parse_upload(document, fetch_all, "image")
    masks = [*files.get("mask", []), *([fields_sent.mask] if fields_sent.mask is not None else [])]
    if len(masks) > 1:
        raise InvalidRequest("A request has at most one mask.", param="mask", remedy="Send it once.")
    images = (*files.get("image", []), *fields_sent.images)
    return Upload(fields=fields_sent.fields, images=images, mask=masks[0] if masks else None, name=fields_sent.name)


def _with_reference(part: Part) -> Part:
    """A field `image[upload]` as the field `image` with the upload."""
    name, before = name_in_form(part.name)
    return replace(part, name=name, body=before.encode() + part.body) if before and not part.is_file else part


def parse_upload(document: Mapping[str, Any], fetch_all: FetchAll, default: str = "images") -> Upload:
    """The fields and pictures of a document. Raises InvalidRequest.

    `default`: the field that is missing when there is no picture.
    """
    return load_pictures(take_pictures(document), fetch_all, default)


def load_pictures(taken: SentPictures, fetch_all: FetchAll, default: str) -> Upload:
    """The request with the bytes of its pictures; `default` is the field that is missing when there is none.

    Raises InvalidRequest.
    """
    references = [*taken.images, *([taken.mask] if taken.mask else [])]
    name = taken.images[0].field if taken.images else default
    if len(references) > MOST + 1:
        raise _too_many(name)
    bodies = _bodies(references, fetch_all)
    images, mask = tuple(bodies[: len(taken.images)]), bodies[-1] if taken.mask else None
    return Upload(fields=taken.fields, images=images, mask=mask, name=name)


def _bodies(references: Sequence[Reference], fetch_all: FetchAll) -> list[bytes]:
    """The bytes of each picture. What came in the body is read before anything is fetched."""
    own = {each: read_reference(each) for each in references if not each.is_elsewhere}
    addresses = [each for each in references if each.is_elsewhere]
    fetched = _fetched(addresses, fetch_all) if addresses else {}
    return [(own | fetched)[each] for each in references]


def _fetched(addresses: Sequence[Reference], fetch_all: FetchAll) -> dict[Reference, bytes]:
    try:
        return dict(zip(addresses, fetch_all([each.text for each in addresses]), strict=True))
    except InvalidRequest as error:
        error.param = addresses[0].param if len(addresses) == 1 else addresses[0].field
        raise


def _too_many(name: str) -> InvalidRequest:
    return InvalidRequest(f"A request may have at most {MOST} pictures.", param=name)


def bring_inputs(
    taken: SentPictures, fetch_all: FetchAll, default: str
) -> tuple[tuple[InputImage, ...], InputImage | None, dict[str, bytes]]:
    """What `describe_inputs` says of the pictures, if there are any; `default` is the field that is missing.

    Raises InvalidRequest.
    """
    if not taken.images and not taken.mask:
        return (), None, {}
    return describe_inputs(load_pictures(taken, fetch_all, default))


def describe_inputs(upload: Upload) -> tuple[tuple[InputImage, ...], InputImage | None, dict[str, bytes]]:
    """The pictures and the mask as keys of the bucket, and their bytes by these keys.

    The keys belong to this request, so that they can be removed with it. Raises InvalidRequest for other files.
    """
    if not upload.images:
        raise InvalidRequest(f"Missing required parameter: '{upload.name}'.", param=upload.name, remedy=HOW_TO_SEND)
    if len(upload.images) > MOST:
        raise _too_many(upload.name)
    folder = f"inputs/{secrets.token_hex(10)}"
    bodies = dict[str, bytes]()
    inputs = tuple(_describe_input(body, upload.name, folder, bodies) for body in upload.images)
    mask = None if upload.mask is None else _describe_input(upload.mask, "mask", folder, bodies)
    if mask:
        _require_fit(bodies[inputs[0].key], bodies[mask.key])
    return inputs, mask, bodies


def _require_fit(picture: bytes, mask: bytes) -> None:
    """Raises InvalidRequest for a mask of another size than its picture, which is the first."""
    if not fits_mask(picture, mask):
        sizes = ["{}x{}".format(*size_of(body)) for body in (mask, picture)]
        raise InvalidRequest(
            f"The mask has {sizes[0]} pixels, and the picture {sizes[1]}.",
            param="mask",
            remedy="Send a mask of the first picture's size.",
        )


def _describe_input(body: bytes, param: str, folder: str, bodies: dict[str, bytes]) -> InputImage:
    """The picture as a key of `bodies`, where its bytes are put without private data."""
    content_type = content_type_of(body)
    if content_type is None:
        raise InvalidRequest(f"'{param}' is not a PNG, JPEG or WebP picture.", param=param)
    pixels = pixels_of(body)
    if not 0 < pixels <= LARGEST_PIXELS:
        message = f"has {pixels} pixels; at most {LARGEST_PIXELS} are accepted" if pixels else "is damaged"
        raise InvalidRequest(f"'{param}' {message}.", param=param)
    try:
        frames = count_frames(body, content_type)
        body = without_private_data(body, content_type)
    except DamagedPicture:
        raise InvalidRequest(f"'{param}' is damaged.", param=param) from None
    if frames > MOST_FRAMES:
        message = f"'{param}' has {frames} frames; at most {MOST_FRAMES} are accepted."
        raise InvalidRequest(message, param=param, remedy="Send one frame of it.")
    digest = hashlib.sha256(body).hexdigest()[:40]
    key = f"{folder}/{digest}.{_EXTENSIONS[content_type]}"
    bodies[key] = body
    return InputImage(key, content_type)
