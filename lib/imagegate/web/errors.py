"""Errors in the dialect of the request."""

import math
from collections.abc import Mapping

from starlette.types import Scope

from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import Overtaken, QuotaExhausted, RateLimited, RequestError, Unauthenticated
from imagegate.web.middleware import dialect_of, request_id_of

BREAKDOWNS = {
    404: ("no_such_route", "The path does not exist."),
    405: ("method_not_allowed", "The path does not accept this method."),
    500: ("internal", "imagegate failed; its logs say why under the answer's `x-request-id`."),
}
"""Errors of the gateway itself: status to code and meaning."""
_LONGEST_PAUSE = 59
"""Seconds that every client waits if told to; above 60, some do not (docs/protocols/openai-images.md#retries)."""


def render_refusal(scope: Scope, error: RequestError) -> ApiResponse:
    """The answer to a request that the caller has to change or to repeat later."""
    return dialect_of(scope).render_refusal(error, request_id_of(scope)).with_headers(_advice(error))


def render_breakdown(scope: Scope, status: int, message: str) -> ApiResponse:
    """The answer where no use case gave one: an unknown route, or a fault of the gateway."""
    code, _ = BREAKDOWNS.get(status, ("not_answered", ""))
    return dialect_of(scope).render_breakdown(status, code, message, request_id_of(scope))


def _advice(error: RequestError) -> Mapping[str, str]:
    """Headers that say what to do: present a key, come back in a moment, or not before tomorrow."""
    if isinstance(error, Unauthenticated):
        return {"www-authenticate": 'Bearer realm="imagegate"'}  # RFC 9110 §15.5.2: every 401 has one
    if isinstance(error, Overtaken):
        return {"retry-after": "1"}
    if not isinstance(error, RateLimited):
        return {}
    today = isinstance(error, QuotaExhausted)
    headers = {"x-should-retry": "false"} if today else {}
    if error.retry_after is not None:
        pause = max(1, math.ceil(error.retry_after))
        headers["retry-after"] = str(pause if today else min(pause, _LONGEST_PAUSE))
    return headers
