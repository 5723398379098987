"""Webhooks as Standard Webhooks 1.0.0 has them (docs/protocols/providers.md#webhooks): secrets and signatures. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from imagegate.domain.errors import InvalidRequest

EVENTS = ("queued", "started", "succeeded", "failed", "cancelled")
"""What can be announced; the `type` of a body is one of them after `image_generation.`."""
SECRET_BYTES = (24, 64)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""This machine, by the names that a webhook may have for it in the embedded stack."""
USER_AGENT = "imagegate"
"""The User-Agent of every webhook."""
SIGNATURE_HEADER = "webhook-signature"
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class RequestedWebhook:
    """The webhook in a request."""

    url: str
    events: tuple[str, ...] = ()
    """Empty: all."""
    secret: bytes | None = None
    """To sign with; `None`: the API key's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """The receiver of an operation's announcements."""

    url: str
    events: tuple[str, ...]
    key_id: str = ""
    """The API key whose secret signs; empty when it has its own."""
    sealed_secret: str | None = None
    """Its own secret, encrypted (domain/access/encryption.py)."""

    @property
    def host(self) -> str:
        """What may be known of the URL elsewhere: the rest of one often carries a token."""
        return urlsplit(self.url).netloc

    def receiver(self, owner: str) -> str:
        """What this owner's deliveries to one host have in common: a name for its circuit and its turn.

        The port makes no difference, except on this machine, where each is another program's.
        """
        split = urlsplit(self.url)
        name = (split.hostname or "").removesuffix(".")
        host = split.netloc.lower() if name in LOOPBACK else name
        return f"{owner}#{hashlib.sha256(host.encode()).hexdigest()[:32]}"


def parse_secret(text: str) -> bytes:
    """The bytes of a `whsec_…`. Raises InvalidRequest, which does not repeat it."""
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except ValueError:
        secret = b""
    if not SECRET_BYTES[0] <= len(secret) <= SECRET_BYTES[1]:
        raise InvalidRequest(
            "A webhook's secret is 'whsec_' and the base64 of 24 to 64 bytes.",
            param="webhook.secret",
            remedy="Make one: echo whsec_$(openssl rand -base64 32)",
        )
    return secret


def secret_text(secret: bytes) -> str:
    """A secret as people hand it on."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed_headers(secrets: Sequence[bytes], message_id: str, now: float, body: bytes) -> Mapping[str, str]:
    """The headers of one attempt at `now` (seconds since the epoch), with a signature for each of `secrets`."""
    timestamp = str(int(now))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        SIGNATURE_HEADER: " ".join(f"v1,{signature}" for signature in signatures),
    }
