"""Answers of the dialects as HTTP."""

import json

from starlette.responses import Response

from imagegate.dialects.answer import Answer


def respond(answer: Answer) -> Response:
    """The answer as JSON that no cache may keep."""
    headers = {"cache-control": "no-store", **answer.headers}
    body = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
    media_type = headers.pop("content-type", "application/json")
    return Response(body, answer.status, headers, media_type)
