"""Reads the body of OpenAI's `images/generations`, or says what is wrong with it.

Contract: docs/protocols/openai-images.md#generations.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request

from imagegate.local.upstreams.directives import Directives, parse_directives
from imagegate.local.upstreams.drawing.drawing import FORMATS, Format
from imagegate.local.upstreams.openai.faults import FAULTS

DEFAULT_MODEL = "dall-e-2"
"""What the published schema says."""

ALWAYS_BASE64 = re.compile(r"(gpt|chatgpt)-image")
"""Beginning of the model ids that know no `response_format`."""

SIZE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})")
LARGEST_SIDE = 4096
DEFAULT_SIDE = 1024
MOST_IMAGES = 10


class OpenAIError(Exception):
    """An error answer: its HTTP status and the four keys of its body."""

    def __init__(self, status: int, message: str, type_: str, code: str | None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": type_, "param": param, "code": code}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesRequest:
    """A checked request."""

    model: str
    prompt: str
    directives: Directives
    n: int
    width: int
    height: int
    seed: int
    """Of the first picture; the others count on. An extension: OpenAI itself takes none."""
    steps: int
    """Written into the picture; an extension too."""
    format: Format
    by_url: bool
    inputs: tuple[bytes, ...] = ()
    """Pictures to edit or vary, as `editing.reduced` makes them."""
    mask: bytes | None = None
    """As `editing.transparency` makes it."""
    streams: bool = False
    """Whether the answer is a stream of events."""
    partial_images: int = 0
    """Partial pictures in it."""


def parse_images_request(body: Any) -> ImagesRequest:
    """The request from its parsed JSON; raises OpenAIError or DirectiveError. Null is as good as absent."""
    if not isinstance(body, dict):
        wrong("The body must be a JSON object.", "invalid_request_error")
    streams, partial_images = read_stream(body)
    prompt = body.get("prompt")
    if not isinstance(prompt, str):
        wrong("Missing required parameter: 'prompt'.", "missing_required_parameter", "prompt")
    model = str(body.get("model") or DEFAULT_MODEL)
    width, height = read_size(body.get("size"))
    return ImagesRequest(
        model=model,
        prompt=prompt,
        directives=parse_directives(prompt, FAULTS),
        n=read_whole(body, "n", 1, range(1, MOST_IMAGES + 1)),
        width=width,
        height=height,
        seed=read_whole(body, "seed", secrets.randbelow(2**31), range(-(2**63), 2**63)),
        steps=read_whole(body, "num_inference_steps", 0, range(1, 1000)),
        format=read_format(body.get("output_format")),
        by_url=read_by_url(model, body.get("response_format")),
        streams=streams,
        partial_images=partial_images,
    )


def read_stream(body: dict[str, Any]) -> tuple[bool, int]:
    """Whether the answer streams, and the partial pictures in it. A form has `true` as text."""
    streams = body.get("stream") in (True, "true")
    partial_images = read_whole(body, "partial_images", 0, range(4))
    return streams, partial_images if streams else 0


def read_size(size: Any) -> tuple[int, int]:
    """Pixels from `WxH`; `auto` and absent are a square."""
    if size in (None, "auto"):
        return DEFAULT_SIDE, DEFAULT_SIDE
    match = SIZE.fullmatch(size) if isinstance(size, str) else None
    if not match or max(int(match[1]), int(match[2])) > LARGEST_SIDE:
        wrong(f"Invalid size {size!r}: WxH with sides up to {LARGEST_SIDE} is supported.", "invalid_size", "size")
    return int(match[1]), int(match[2])


def read_whole(body: dict[str, Any], name: str, default: int, allowed: range) -> int:
    """A whole number within bounds."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        last = allowed.stop - 1
        wrong(f"Invalid '{name}': expected a whole number from {allowed.start} to {last}.", "invalid_value", name)
    return int(value)


def read_format(wanted: Any) -> Format:
    """The format of the files; PNG unless said otherwise."""
    found = next((known for known in FORMATS if known == (wanted or "png")), None)
    if found is None:
        wrong(f"Invalid output_format {wanted!r}: use {', '.join(FORMATS)}.", "invalid_value", "output_format")
    return found


def read_by_url(model: str, response_format: Any) -> bool:
    """Whether pictures are answered by URL: the default, but for the models that know only base64."""
    if ALWAYS_BASE64.match(model):
        if response_format is not None:
            wrong("Unknown parameter: 'response_format'.", "unknown_parameter", "response_format")
        return False
    if response_format not in (None, "url", "b64_json"):
        wrong(f"Invalid response_format {response_format!r}.", "invalid_value", "response_format")
    return bool(response_format != "b64_json")


async def read_json(request: Request) -> Any:
    """The body's JSON."""
    try:
        return await request.json()
    except ValueError:
        wrong("We could not parse the JSON body of your request.", "invalid_request_error")


def wrong(message: str, code: str, param: str | None = None) -> NoReturn:
    """Refuse the request with HTTP 400."""
    raise OpenAIError(400, message, "invalid_request_error", code, param)
