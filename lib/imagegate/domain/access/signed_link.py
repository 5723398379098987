"""Tokens that open one path, as its owner, until they expire. Pure.

A token is `<expiry>.<owner>.<signature>`: whole seconds since the epoch, an owner, and 160 bits of an HMAC-SHA256
over both and the path. It is for places that cannot send a key: the `src` of an image, a redirect on which a client
drops its Authorization header.
"""

import base64
import hmac
import re

_SHAPE = re.compile(r"(\d{1,12})\.([0-9a-z]{1,40})\.([\w-]{27})", re.ASCII)
_BYTES = 20


def sign(secret: bytes, path: str, owner: str, until: float) -> str:
    """The token that opens `path` for its bearer, as `owner`, until `until` (seconds since the epoch)."""
    return _token(secret, path, owner, int(until))


def verify(secret: bytes, path: str, token: str, now: float) -> str | None:
    """The owner on whose behalf `token` opens `path`; `None` when it does not."""
    matched = _SHAPE.fullmatch(token)
    if not matched:
        return None
    until, owner = int(matched[1]), matched[2]
    genuine = hmac.compare_digest(token.encode(), _token(secret, path, owner, until).encode())
    return owner if genuine and now < until else None


def expires_at(token: str) -> float:
    """When a genuine token ceases to open its path, in seconds since the epoch."""
    return float(token.partition(".")[0])


def _token(secret: bytes, path: str, owner: str, until: int) -> str:
    # The path comes last: it alone may hold any character.
    signature = hmac.digest(secret, f"{until}\n{owner}\n{path}".encode(), "sha256")[:_BYTES]
    return f"{until}.{owner}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
