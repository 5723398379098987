"""Azure's two faces: OpenAI's models at `/openai/v1`, Microsoft's own (MAI) at `/mai/v1`.

Contract: docs/protocols/openai-compatible.md#azure.
"""

import secrets
from typing import Any

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.profile import ServerProfile, answer
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError, parse_images_request, wrong

MAI_SHORTEST = 768
MAI_LARGEST = 1_056_768
"""Pixels."""

REFUSED = OpenAIError(400, "The stand-in's content filter rejected this prompt.", "", "contentFilter")
OUT_OF_QUOTA = OpenAIError(429, "The deployment of the stand-in has used up its quota.", "", "insufficient_quota")


def read(body: Any) -> ImagesRequest:
    """As OpenAI's; a deployment hides which model it is, and a gpt-image one takes no response_format."""
    fields = body if isinstance(body, dict) else {}
    if fields.get("response_format") is not None:
        wrong("Unknown parameter: 'response_format'.", "unknown_parameter", "response_format")
    return parse_images_request({**fields, "response_format": "b64_json", "model": fields.get("model") and "deployed"})


def read_mai(body: Any) -> ImagesRequest:
    """Pixels as two fields; one picture."""
    fields = body if isinstance(body, dict) else {}
    prompt, width, height = fields.get("prompt"), fields.get("width", 1024), fields.get("height", 1024)
    if not isinstance(prompt, str) or not fields.get("model"):
        wrong("model and prompt are required.", "invalid_request")
    if type(width) is not int or type(height) is not int or min(width, height) < MAI_SHORTEST:
        wrong(f"width and height must be at least {MAI_SHORTEST}.", "invalid_request")
    if width * height > MAI_LARGEST:
        wrong(f"width x height must not exceed {MAI_LARGEST}.", "invalid_request")
    if fields.get("n", 1) != 1:
        wrong("n must be 1.", "invalid_request", "n")
    directives = parse_directives(prompt, FAULTS)
    seed = secrets.randbelow(2**31)
    return ImagesRequest(
        model=str(fields["model"]),
        prompt=prompt,
        directives=directives,
        n=1,
        width=width,
        height=height,
        seed=seed,
        steps=0,
        format="png",
        by_url=False,
    )


def error_body(error: OpenAIError) -> Any:
    """Azure's: a refusal says inside which policy it was."""
    inner = {"inner_error": {"code": "ResponsibleAIPolicyViolation"}} if error is REFUSED else {}
    openai_error = error.body["error"]
    return {"error": {"code": openai_error["code"] or str(error.status), "message": openai_error["message"], **inner}}


AZURE_OPENAI = ServerProfile(
    read=read,
    key_header="api-key",
    error_body=error_body,
    streams=True,
    refused=REFUSED,
    out_of_quota=OUT_OF_QUOTA,
)
AZURE_MAI = ServerProfile(
    read=read_mai,
    answer=lambda generation, data: {"created": answer(generation, data)["created"], "data": data},
    edits=False,
    key_header="api-key",
    error_body=error_body,
    refused=REFUSED,
    out_of_quota=OUT_OF_QUOTA,
)
