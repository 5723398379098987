"""Together's Images API: OpenAI's path, with fields of its own (docs/protocols/providers.md#together)."""

import secrets
from typing import Any

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.profile import Datum, ServerProfile, body_with
from imagegate.local.upstreams.openai.requests import (
    DEFAULT_SIDE,
    LARGEST_SIDE,
    ImagesRequest,
    OpenAIError,
    read_format,
    read_whole,
    wrong,
)

MOST_IMAGES = 4
SIDES = range(64, LARGEST_SIDE + 1)


def read(body: Any) -> ImagesRequest:
    """The request from its parsed JSON; raises OpenAIError or DirectiveError."""
    if not isinstance(body, dict) or not isinstance(body.get("prompt"), str) or not body.get("model"):
        wrong("model and prompt are required.", "invalid_request_error")
    response_format = body.get("response_format") or "url"
    if response_format not in ("base64", "url"):
        wrong(f"response_format must be base64 or url, got {response_format!r}.", "invalid_value", "response_format")
    return ImagesRequest(
        model=str(body["model"]),
        prompt=body["prompt"],
        directives=parse_directives(body["prompt"], FAULTS),
        n=read_whole(body, "n", 1, range(1, MOST_IMAGES + 1)),
        width=read_whole(body, "width", DEFAULT_SIDE, SIDES),
        height=read_whole(body, "height", DEFAULT_SIDE, SIDES),
        seed=read_whole(body, "seed", secrets.randbelow(2**31), range(2**63)),
        steps=read_whole(body, "steps", 4, range(1, 51)),
        format=read_format(body.get("output_format") or "jpeg"),
        by_url=response_format == "url",
    )


def answer(generation: ImagesRequest, datums: list[Datum]) -> dict[str, Any]:
    """Together's answer."""
    data = [{"index": index, **each} for index, each in enumerate(datums)]
    return {"id": secrets.token_hex(8), "model": generation.model, "object": "list", "data": data}


TOGETHER = ServerProfile(
    read=read,
    answer=answer,
    edits=False,
    error_body=body_with("message", "type", "code"),
    refused=OpenAIError(400, "The stand-in found NSFW content in the prompt.", "invalid_request_error", None),
    out_of_quota=OpenAIError(402, "The stand-in's credit is used up.", "credit_limit", None),
)
