"""Answers of the dialects as HTTP responses."""

import gzip
import hashlib
from dataclasses import replace

from starlette.responses import Response

from imagegate.dialects.dialect import Dialect
from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation
from imagegate.ports.storage import ImageStore

LARGEST_BODY = 5_500_000
"""Bytes of a body that Lambda returns (its limit is 6 MiB, including the envelope and escaping)."""
LARGEST_WITH_PICTURES = 6 * 1024 * 1024
"""Bytes of a JSON body from a caller; Lambda's own limit."""
_JSON = "application/json"
_LONG = 4096
"""Bytes of a list above which compressing it pays."""


def to_response(answer: ApiResponse) -> Response:
    """The answer as JSON, unless it names another type; caches must not store it."""
    headers = {"cache-control": "no-store", "content-type": _JSON, **answer.headers}
    return Response(answer.encode(), answer.status, headers)


def to_list_response(answer: ApiResponse, accept_encoding: str) -> Response:
    """A list, with gzip where the caller takes it and it is long: API Gateway's HTTP APIs compress nothing."""
    response = to_response(answer.with_headers({"vary": "accept-encoding"}))
    if "gzip" in accept_encoding and len(response.body) > _LONG:
        response.body = gzip.compress(response.body, compresslevel=6, mtime=0)
        response.headers.update({"content-encoding": "gzip", "content-length": str(len(response.body))})
    return response


def fits(answer: ApiResponse) -> bool:
    """True when Lambda can return the answer, which has pictures as base64."""
    size = len(answer.encode())
    is_picture = answer.headers.get("content-type", "").startswith("image/")
    return (size * 4 / 3 if is_picture else size) <= LARGEST_BODY


def to_response_at_any_size(
    answer: ApiResponse, operation: Operation, images: ImageStore, dialect: Dialect
) -> Response:
    """The answer, or a redirect to it in S3 when it is too large for Lambda.

    Every client that follows the redirects of a wait follows this one too. All but urllib drop their
    credentials when it leads to another host, as S3 requires (docs/protocols/openai-images.md#large-answers).
    """
    answer = replace(answer, body=answer.encode())
    if fits(answer):
        return to_response(answer)
    key = f"answers/{operation.id}/{hashlib.sha256(answer.body).hexdigest()[:16]}"
    # Overwriting restarts its lifetime: an object from yesterday would be removed while the new URL is still valid.
    images.put(key, answer.body, answer.headers.get("content-type", _JSON), overwrite=True)
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return to_response(dialect.render_redirect(operation, images.presign(key)).with_headers(headers))


def matches(etag: str, if_none_match: str) -> bool:
    """True when the header names the tag, in RFC 9110's weak comparison."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in if_none_match
