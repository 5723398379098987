"""Reads the bodies of OpenAI's `images/edits` and `images/variations` (docs/protocols/openai-images.md#edits)."""

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from imagegate.local.upstreams.drawing.editing import reduced, transparency
from imagegate.local.upstreams.openai.multipart import Part, read_form
from imagegate.local.upstreams.openai.requests import ImagesRequest, parse_images_request, read_json, wrong

EDIT_MODEL = "gpt-image-1.5"
"""Default of the published schema; `variations` has the one of `generations`."""

MOST_INPUTS = 16
WHOLE_NUMBERS = frozenset({"n", "seed", "num_inference_steps", "output_compression", "partial_images"})
"""Fields that a form can only hold as text."""

NOT_FOR_EDITS = ("moderation", "style")
"""Fields that only generations have."""

DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request holds, whether it came as a form or as JSON."""

    fields: dict[str, Any]
    images: list[bytes]
    mask: bytes | None = None


async def read_edit(request: Request) -> ImagesRequest:
    """The request of `images/edits`, a form or JSON; raises OpenAIError or DirectiveError."""
    body = await read_body(request)
    for name in NOT_FOR_EDITS:
        if name in body.fields:
            wrong(f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    return await with_inputs(parse_images_request({"model": EDIT_MODEL} | body.fields), body, MOST_INPUTS)


async def read_variation(request: Request) -> ImagesRequest:
    """The request of `images/variations`, a form with one picture and no prompt; raises OpenAIError."""
    body = await read_body(request)
    if "prompt" in body.fields:
        wrong("Unknown parameter: 'prompt'.", "unknown_parameter", "prompt")
    return await with_inputs(parse_images_request({**body.fields, "prompt": ""}), body, 1)


async def read_body(request: Request) -> Body:
    """The body in either form."""
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return from_form(read_form(content_type, await request.body()))
    return from_json(await read_json(request))


def from_form(parts: list[Part]) -> Body:
    """A form: files `image` (once) or `image[]` (any number), `mask`, and text."""
    files = [part for part in parts if part.is_file]
    masks = [part.body for part in files if part.name == "mask"]
    images = [part.body for part in files if part.name in ("image", "image[]")]
    return Body({part.name: text_of(part) for part in parts if not part.is_file}, images, masks[0] if masks else None)


def text_of(part: Part) -> Any:
    """A text field, as the number it stands for where one is wanted."""
    text = part.body.decode("utf-8", "replace")
    return int(text) if part.name in WHOLE_NUMBERS and text.lstrip("-").isdigit() else text


def from_json(document: Any) -> Body:
    """JSON: `images` and `mask` hold `image_url`; without internet, only `data:` URLs can be read."""
    if not isinstance(document, dict):
        wrong("The body must be a JSON object.", "invalid_request_error")
    listed = document.pop("images", None) or []
    mask = document.pop("mask", None)
    return Body(document, [from_reference(each) for each in listed], from_reference(mask) if mask else None)


def from_reference(reference: Any) -> bytes:
    """The bytes of one `{"image_url": ...}`."""
    return data_url(reference.get("image_url") if isinstance(reference, dict) else None, "images")


def data_url(url: Any, param: str) -> bytes:
    """The bytes that a `data:` URL holds."""
    match = DATA_URL.fullmatch(url) if isinstance(url, str) else None
    if not match:
        wrong("The stand-in reads images from data: URLs only.", "invalid_value", param)
    return base64.b64decode(match[1])


async def with_inputs(generation: ImagesRequest, body: Body, most: int) -> ImagesRequest:
    """The request with its pictures; raises OpenAIError for missing, surplus and unreadable ones."""
    if not body.images:
        wrong("Missing required parameter: 'image'.", "missing_required_parameter", "image")
    if len(body.images) > most:
        wrong(f"Too many images: {most} at most.", "invalid_value", "image")
    inputs = [await readable(reduced, each, "image") for each in body.images]
    mask = await readable(transparency, body.mask, "mask") if body.mask else None
    return replace(generation, inputs=tuple(inputs), mask=mask)


async def readable(read: Callable[[bytes], bytes], file: bytes, param: str) -> bytes:
    """What `read` makes of the file, in a thread."""
    try:
        return await asyncio.to_thread(read, file)
    except OSError:
        wrong("Invalid image file or mode, please check your image file.", "invalid_image_file", param)
