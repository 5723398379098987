"""DeepInfra's and Pollinations' Images APIs, which are OpenAI's but for their errors.

Contract: docs/protocols/openai-compatible.md#deepinfra, docs/protocols/openai-compatible.md#pollinations.
"""

from dataclasses import replace
from typing import Any

from imagegate.local.upstreams.openai.profile import ServerProfile, answer, body_with
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError, parse_images_request

CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 402: "PAYMENT_REQUIRED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}
"""Pollinations' code by HTTP status; INTERNAL_ERROR for any other."""


def read_deepinfra(body: Any) -> ImagesRequest:
    """DeepInfra answers in base64 and nothing else, as JPEG."""
    return replace(parse_images_request(body), by_url=False, format="jpeg")


def pollinations_error(error: OpenAIError) -> Any:
    """Pollinations' own error body."""
    openai_error = error.body["error"]
    code = (
        openai_error["code"]
        if openai_error["code"] == "content_policy_violation"
        else CODES.get(error.status, "INTERNAL_ERROR")
    )
    return {"success": False, "status": error.status, "error": {"message": openai_error["message"], "code": code}}


DEEPINFRA = ServerProfile(
    read=read_deepinfra,
    answer=lambda generation, data: {"created": answer(generation, data)["created"], "data": data},
    edits=False,
    prefix="/v1/openai",
    error_body=body_with("message"),
    refused=OpenAIError(400, "The stand-in's content filter rejected this prompt.", "", None),
    out_of_quota=OpenAIError(402, "The stand-in's balance is used up.", "", None),
)
POLLINATIONS = ServerProfile(
    edits=False,
    error_body=pollinations_error,
    refused=OpenAIError(422, "The stand-in refused this prompt.", "", "content_policy_violation"),
    out_of_quota=OpenAIError(402, "API key budget exhausted", "", None),
)
