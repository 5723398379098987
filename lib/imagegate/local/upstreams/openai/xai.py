"""xAI's Images API: OpenAI's path, with aspect ratios for sizes and refusals inside a 200.

Contract: docs/protocols/openai-compatible.md#xai.
"""

import math
import secrets
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.openai.edits import Body, data_url, with_inputs
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.profile import Datum, ServerProfile
from imagegate.local.upstreams.openai.requests import (
    ImagesRequest,
    OpenAIError,
    read_by_url,
    read_json,
    read_whole,
    wrong,
)

FIELDS = frozenset(
    ("model", "prompt", "n", "response_format", "aspect_ratio", "resolution", "quality", "user", "image", "images")
)
RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:20", "20:9", "1:2", "2:1", "9:19.5", "19.5:9", "auto")
RESOLUTIONS = {"1k": 1024, "2k": 2048}
QUALITIES = ("low", "medium")
GRAIN = 16
MOST_INPUTS = 3
TICKS = 200_000_000
"""What one picture costs: $0.02."""

REFUSED = OpenAIError(200, "The stand-in's moderation refused this.", "moderation", None)
"""An answer without a picture, not an error."""


def read(body: Any) -> ImagesRequest:
    """The request from its parsed JSON; raises OpenAIError or DirectiveError."""
    fields = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else {}
    if "size" in fields:
        wrong("Argument not supported: size", "invalid-argument")
    for name in fields.keys() - FIELDS:
        raise OpenAIError(422, f"Failed to deserialize the JSON body: unknown field `{name}`", "", "unprocessable")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not fields.get("model"):
        wrong("model and prompt are required", "invalid-argument")
    if fields.get("quality", "low") not in QUALITIES:
        wrong(f"quality must be one of {', '.join(QUALITIES)}", "invalid-argument")
    width, height = size_for(fields.get("aspect_ratio", "auto"), fields.get("resolution", "1k"))
    return ImagesRequest(
        model=str(fields["model"]),
        prompt=prompt,
        directives=parse_directives(prompt, FAULTS),
        n=read_whole(fields, "n", 1, range(1, 11)),
        width=width,
        height=height,
        seed=secrets.randbelow(2**31),
        steps=0,
        format="jpeg",
        by_url=read_by_url("", fields.get("response_format")),
    )


def size_for(ratio: Any, resolution: Any) -> tuple[int, int]:
    """Pixels of an aspect ratio: about as many as a square of that resolution has."""
    if ratio not in RATIOS or resolution not in RESOLUTIONS:
        wrong(f"unknown aspect_ratio {ratio!r} or resolution {resolution!r}", "invalid-argument")
    across, down = map(float, ("1:1" if ratio == "auto" else str(ratio)).split(":"))
    side, stretch = RESOLUTIONS[resolution], math.sqrt(across / down)
    return round(side * stretch / GRAIN) * GRAIN, round(side / stretch / GRAIN) * GRAIN


async def read_edit(request: Request) -> ImagesRequest:
    """The call of `images/edits`: JSON with one `image` or several `images`."""
    fields = await read_json(request)
    generation = read(fields)
    references = fields.get("images") or [fields.get("image")]
    images = [data_url(each.get("url") if isinstance(each, dict) else None, "image") for each in references]
    return await with_inputs(replace(generation), Body({}, images), MOST_INPUTS)


def answer(generation: ImagesRequest, data: list[Datum]) -> Any:
    """xAI's answer; it says what it costs."""
    rendered = [{**each, "mime_type": "image/jpeg", "revised_prompt": ""} for each in data]
    return {"data": rendered or [{"mime_type": "image/jpeg"}], "usage": {"cost_in_usd_ticks": TICKS * len(data)}}


def error_body(error: OpenAIError) -> Any:
    """Two texts; moderation tells of itself in the data."""
    if error is REFUSED:
        return {"data": [{"respect_moderation": False}], "usage": {"cost_in_usd_ticks": TICKS}}
    return {"code": error.body["error"]["code"] or "error", "error": error.body["error"]["message"]}


XAI = ServerProfile(
    read=read,
    read_edit=read_edit,
    answer=answer,
    error_body=error_body,
    refused=REFUSED,
    out_of_quota=OpenAIError(
        403,
        "Your team has either used all available credits or reached its monthly spending limit.",
        "",
        "The caller does not have permission to execute the specified operation",
    ),
)
