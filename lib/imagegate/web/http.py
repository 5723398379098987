"""Answers of the dialects as HTTP."""

import hashlib
import json

from starlette.responses import RedirectResponse, Response

from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation
from imagegate.ports.storage import ImageStore

LARGEST_BODY = 5_500_000
"""Bytes of an answer that go through Lambda (its limit is 6 MiB, envelope and escaping included)."""


def to_response(answer: ApiResponse) -> Response:
    """The answer as JSON that no cache may keep."""
    return _response(answer, _encode(answer))


def fits(answer: ApiResponse) -> bool:
    """True when Lambda can return the answer."""
    return len(_encode(answer)) <= LARGEST_BODY


def to_response_at_any_size(answer: ApiResponse, operation: Operation, images: ImageStore) -> Response:
    """The answer, or where it is too large for Lambda a redirect to it in S3.

    Every client that follows the redirects of waiting follows this one too; all but urllib leave their
    credentials behind when it leads to another host, as S3 demands (docs/protocols/openai-images.md#large-answers).
    """
    body = _encode(answer)
    if len(body) <= LARGEST_BODY:
        return _response(answer, body)
    key = f"answers/{operation.id}/{hashlib.sha256(body).hexdigest()[:16]}"
    # Anew: one that was handed out a day ago would soon be removed under the URL made now.
    images.put(key, body, _media_type(answer), overwrite=True)
    headers = {"cache-control": "no-store", **answer.headers}
    headers.pop("content-type", None)
    return RedirectResponse(images.presign(key), 303, headers)


def matches(etag: str, if_none_match: str) -> bool:
    """True when the header names the tag, by RFC 9110's weak comparison."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in if_none_match


def _response(answer: ApiResponse, body: bytes) -> Response:
    headers = {"cache-control": "no-store", **answer.headers, "content-type": _media_type(answer)}
    return Response(body, answer.status, headers)


def _media_type(answer: ApiResponse) -> str:
    return answer.headers.get("content-type", "application/json")


def _encode(answer: ApiResponse) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    return json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
