"""Webhook secrets under the deployment's webhook key (docs/adr/0009). Pure.

A pseudo-random function does it all, for the standard library has no cipher: a random nonce gives each secret a key
stream and a tag of its own (encrypt, then authenticate; the stream is one block of HMAC-SHA512, as long as the longest
secret), and the secret of an API key is nothing but the function of its id and generation.
"""

import base64
import hmac
import secrets

from imagegate.domain.webhook import SECRET_BYTES

KEY_BYTES = 32
_NONCE = 16
_TAG = 32
_DERIVED = 32


class BrokenSeal(ValueError):
    """What is to be opened was not sealed with this key for this context."""


def seal(key: bytes, context: str, secret: bytes) -> str:
    """`secret` (64 bytes at most) encrypted, to be opened with the same `key` and `context` only."""
    assert len(secret) <= SECRET_BYTES[1]
    nonce = secrets.token_bytes(_NONCE)
    hidden = _xor(secret, _stream(key, nonce))
    return base64.urlsafe_b64encode(nonce + hidden + _tag(key, context, nonce + hidden)).decode()


def opened(key: bytes, context: str, sealed: str) -> bytes:
    """What `seal` was given. Raises BrokenSeal."""
    whole = base64.urlsafe_b64decode(sealed)
    nonce, hidden, tag = whole[:_NONCE], whole[_NONCE:-_TAG], whole[-_TAG:]
    if not hmac.compare_digest(tag, _tag(key, context, nonce + hidden)):
        raise BrokenSeal("sealed with another key, or for somebody else")
    return _xor(hidden, _stream(key, nonce))


def derived(key: bytes, key_id: str, generation: int) -> bytes:
    """The webhook secret of an API key."""
    return _prf(key, b"of key\0", f"{key_id}\0{generation}".encode())[:_DERIVED]


def _stream(key: bytes, nonce: bytes) -> bytes:
    return _prf(key, b"stream\0", nonce)


def _tag(key: bytes, context: str, content: bytes) -> bytes:
    return _prf(key, b"tag\0", content + context.encode())[:_TAG]


def _prf(key: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(key, purpose + content, "sha512")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
