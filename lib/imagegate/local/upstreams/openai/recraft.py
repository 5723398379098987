"""Recraft's Images API: OpenAI's path; sizes from a list, or as aspect ratios.

Contract: docs/protocols/openai-compatible.md#recraft.
"""

import secrets
from typing import Any

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.profile import Datum, ServerProfile, answer
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError, read_by_url, read_whole, wrong

SIZES = {
    "1:1": "1024x1024",
    "2:1": "1536x768",
    "1:2": "768x1536",
    "3:2": "1280x832",
    "2:3": "832x1280",
    "4:3": "1216x896",
    "3:4": "896x1216",
    "5:4": "1152x896",
    "4:5": "896x1152",
    "6:10": "832x1344",
    "14:10": "1280x896",
    "10:14": "896x1280",
    "16:9": "1344x768",
    "9:16": "768x1344",
}
"""Of the V4 models."""
LONGEST_PROMPT = 10_000


def read(body: Any) -> ImagesRequest:
    """The request from its parsed JSON; raises OpenAIError or DirectiveError."""
    fields = body if isinstance(body, dict) else {}
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= LONGEST_PROMPT:
        wrong(f"prompt must have 1 to {LONGEST_PROMPT} characters", "invalid_request_parameter")
    size = SIZES.get(str(fields.get("size")), fields.get("size") or "1024x1024")
    if size not in SIZES.values():
        wrong(f"size {size} is not supported by the model", "invalid_request_parameter")
    width, height = map(int, size.split("x"))
    return ImagesRequest(
        model=str(fields.get("model") or "recraftv4_1"),
        prompt=prompt,
        directives=parse_directives(prompt, FAULTS),
        n=read_whole(fields, "n", 1, range(1, 7)),
        width=width,
        height=height,
        seed=secrets.randbelow(2**31),
        steps=0,
        format="webp",
        by_url=read_by_url("", fields.get("response_format")),
    )


def show(generation: ImagesRequest, data: list[Datum]) -> Any:
    """Recraft's answer: each picture has an id, and the credits left are told."""
    return {**answer(generation, [{"image_id": secrets.token_hex(16), **each} for each in data]), "credits": 1000}


RECRAFT = ServerProfile(
    read=read,
    answer=show,
    edits=False,
    error_body=lambda error: {
        "code": error.body["error"]["code"] or "error",
        "message": error.body["error"]["message"],
    },
    refused=OpenAIError(400, "The prompt violates the content policy of the stand-in", "", "prompt_rejected"),
    out_of_quota=OpenAIError(402, "Not enough credits at the stand-in", "", "not_enough_credits"),
)
