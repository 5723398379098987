"""How servers that are compatible with OpenAI's Images API differ, as far as a client can see; and OpenAI's own way."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from imagegate.local.upstreams.openai.edits import read_edit
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError, parse_images_request

Datum = dict[str, Any]
"""One element of `data`."""

REFUSED = OpenAIError(
    400,
    "Your request was rejected by the safety system of the stand-in.",
    "image_generation_user_error",
    "moderation_blocked",
)
OUT_OF_QUOTA = OpenAIError(
    429, "You exceeded your current quota of the stand-in.", "insufficient_quota", "insufficient_quota"
)


def answer(generation: ImagesRequest, data: list[Datum]) -> dict[str, Any]:
    """OpenAI's answer; gpt-image models add metadata."""
    return {"created": int(time.time()), "data": data, **({} if generation.by_url else extras(generation))}


def extras(generation: ImagesRequest) -> dict[str, Any]:
    """What gpt-image models answer besides the pictures."""
    counts = {"input_tokens": len(generation.prompt.split()), "output_tokens": 1000 * generation.n}
    details = {"text_tokens": counts["input_tokens"], "image_tokens": 0}
    usage = {**counts, "total_tokens": sum(counts.values()), "input_tokens_details": details}
    return {
        "output_format": generation.format,
        "size": f"{generation.width}x{generation.height}",
        "background": "opaque",
        "usage": usage,
    }


def body_with(*keys: str) -> Callable[[OpenAIError], Any]:
    """OpenAI's error body, of which a server writes only some keys."""
    return lambda error: {"error": {key: error.body["error"][key] for key in keys}}


OPENAI_ERROR_BODY = body_with("message", "type", "param", "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """How one server differs."""

    read: Callable[[Any], ImagesRequest] = parse_images_request
    """Reads the parsed body of `images/generations`; raises OpenAIError or DirectiveError."""
    answer: Callable[[ImagesRequest, list[Datum]], dict[str, Any]] = answer
    edits: bool = True
    """Whether there are `images/edits` and `images/variations`."""
    read_edit: Callable[[Request], Awaitable[ImagesRequest]] = read_edit
    """Reads the call of `images/edits`; raises OpenAIError or DirectiveError."""
    prefix: str = "/v1"
    """Of the paths below the stand-in's mount."""
    key_header: str | None = None
    """Of the key, where it need not be in the Authorization header."""
    schemes: tuple[str, ...] = ("bearer",)
    """Of the Authorization header, in small letters."""
    error_body: Callable[[OpenAIError], Any] = OPENAI_ERROR_BODY
    streams: bool = False
    """Whether it knows `stream` and `partial_images`."""
    refused: OpenAIError = REFUSED
    out_of_quota: OpenAIError = OUT_OF_QUOTA


OPENAI = ServerProfile(streams=True)
