"""The Images API of Yandex AI Studio: OpenAI's, with shapes for sizes and most fields missing.

Contract: docs/protocols/yandexart.md#ai-studio. The answer to a refused parameter is not documented; HTTP 400 is.
"""

import math
import secrets
from typing import Any

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.profile import ServerProfile, answer, body_with
from imagegate.local.upstreams.openai.requests import SIZE, ImagesRequest, OpenAIError
from imagegate.local.upstreams.yandexart.errors import QUOTA, REFUSAL
from imagegate.local.upstreams.yandexart.requests import LONGEST_PROMPT, MODEL_URI, NEWER_MODEL, SIDE

UNSUPPORTED = (
    *("n", "quality", "response_format", "output_format", "output_compression", "background", "moderation"),
    *("partial_images", "stream", "style", "user"),
)
GRAIN = 64
"""Pixels: the one measured answer, 1344x768 for 1792x1024, is a multiple of it."""

KIND = "invalid_request_error"


def read(body: Any) -> ImagesRequest:
    """The request from its parsed JSON; raises OpenAIError or DirectiveError."""
    fields = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else {}
    for name in UNSUPPORTED:
        if name in fields:
            raise OpenAIError(400, f"{name} is currently not supported", KIND, None)
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= LONGEST_PROMPT:
        raise OpenAIError(400, f"prompt must have 1 to {LONGEST_PROMPT} characters", KIND, None)
    model = read_model(fields.get("model"))
    width, height = size_for(fields.get("size", "1x1"))
    return ImagesRequest(
        model=model,
        prompt=prompt,
        directives=parse_directives(prompt, FAULTS),
        n=1,
        width=width,
        height=height,
        seed=secrets.randbelow(2**31),
        steps=0,
        format="jpeg",
        by_url=False,
    )


def read_model(uri: Any) -> str:
    """The model; older ones are withdrawn."""
    match = MODEL_URI.fullmatch(uri) if isinstance(uri, str) else None
    if not match:
        raise OpenAIError(400, f"Failed to parse model URI {uri!r}", KIND, None)
    if not match[2].startswith(NEWER_MODEL):
        raise OpenAIError(403, f"Access to model {uri} denied", "permission_denied", None)
    return str(uri)


def size_for(size: Any) -> tuple[int, int]:
    """Pixels from a shape, about a megapixel of them."""
    match = SIZE.fullmatch(size) if isinstance(size, str) else None
    if not match:
        raise OpenAIError(400, f"size must be two positive integers joined by x, got {size!r}", KIND, None)
    stretch = math.sqrt(int(match[1]) / int(match[2]))
    return round(SIDE * stretch / GRAIN) * GRAIN or GRAIN, round(SIDE / stretch / GRAIN) * GRAIN or GRAIN


YANDEX_AI_STUDIO = ServerProfile(
    read=read,
    answer=lambda generation, data: {**answer(generation, data), "quality": "auto"},
    edits=False,
    schemes=("bearer", "api-key"),
    error_body=body_with("message", "type"),
    refused=OpenAIError(400, REFUSAL, KIND, None),
    out_of_quota=OpenAIError(429, QUOTA, "rate_limit_error", None),
)
