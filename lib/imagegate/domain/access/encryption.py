"""Webhook secrets under the deployment's webhook key (docs/adr/0009). Pure.

A secret that a caller brings is encrypted with AES-256-GCM. The secret of an API key is stored nowhere: it is the
HMAC-SHA512 of the key's id and a generation number.
"""

import base64
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE = 12
_DERIVED = 32


class DecryptionError(ValueError):
    """What is to be opened was not encrypted with this key for this context."""


def encrypt(key: bytes, context: str, secret: bytes) -> str:
    """Return `secret` encrypted, to be opened with the same `key` and `context` only."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(nonce + _cipher(key).encrypt(nonce, secret, context.encode())).decode()


def decrypt(key: bytes, context: str, ciphertext: str) -> bytes:
    """Return what `encrypt` was given. Raises DecryptionError."""
    from cryptography.exceptions import InvalidTag

    whole = base64.urlsafe_b64decode(ciphertext)
    try:
        return _cipher(key).decrypt(whole[:_NONCE], whole[_NONCE:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise DecryptionError("encrypted with another key, or for another context") from error


def derive_secret(key: bytes, key_id: str, generation: int) -> bytes:
    """Return the webhook secret of an API key."""
    return _prf(key, b"of key\0", f"{key_id}\0{generation}".encode())[:_DERIVED]


def _cipher(key: bytes) -> "AESGCM":
    # Loaded late: few requests bring a secret, and the library takes 30 ms to import.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_prf(key, b"encryption\0", b"")[:KEY_BYTES])


def _prf(key: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(key, purpose + content, "sha512")
