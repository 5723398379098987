"""Requests a minute over HTTP: the headers that OpenAI's clients know, and the refusal.

x-ratelimit-limit-requests, -remaining-requests, and -reset-requests: how long until all of them are there again,
as `1s`, `6m0s` or `850ms`.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from imagegate.domain.errors import RateLimited
from imagegate.domain.request_rate import Allowance


def require(allowance: Allowance) -> None:
    """Raises RateLimited when there was no request left to take."""
    if allowance.retry_after is not None:
        raise RateLimited(
            f"This API key may make {allowance.limit} requests a minute.",
            retry_after=allowance.retry_after,
            remedy=f"Try again in {duration(allowance.retry_after)}.",
        )


def told(send: Send, allowance: Allowance) -> Send:
    """`send` with the headers on the answer, whichever it is."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_headers(allowance))
        await send(message)

    return telling


def _headers(allowance: Allowance) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(allowance.limit),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": duration(allowance.full_after),
    }


def duration(seconds: float) -> str:
    """As OpenAI writes it."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{rest:g}s"
