"""API keys `ig_<id>_<secret>`: how they are made, stored and checked. Pure.

Of the secret only the SHA-256 digest is kept. It needs no salt and no slow hash: 200 random bits cannot be guessed.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import NoReturn

from imagegate.domain.errors import Forbidden, Unauthenticated, WrongState
from imagegate.domain.operation.ids import ALPHABET

EVERYBODY = "everybody"
"""The owner of everything in a deployment that asks for no key."""
HOW_TO_SEND = (
    "Send it as 'Authorization: Bearer ig_...' or 'Authorization: Api-Key ig_...', or in x-api-key or api-key."
)
_ID_LENGTH = 12
_SECRET_LENGTH = 40
_SHAPE = re.compile(f"ig_([{ALPHABET}]{{{_ID_LENGTH}}})_([{ALPHABET}]{{{_SECRET_LENGTH}}})")
MANY_SHARDS = 16
_ROOMS = (10, 100, 10_000_000)
"""Ten of the largest requests: operations, pictures, micro-dollars."""
_NO_DIGEST = "-" * 64
"""Compared with when there is no key of that id, so that this takes as long as a wrong secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """What a key may use; `None`: as much as it likes."""

    requests_per_minute: int | None = None
    concurrent: int | None = None
    """Operations under way at once."""
    pictures_per_day: int | None = None
    micro_dollars_per_day: int | None = None

    @property
    def metered(self) -> bool:
        """True when what its operations use has to be counted."""
        return bool(self._counted())

    @property
    def shards(self) -> int:
        """Into how many counters the usage of a new key with these limits is divided (docs/adr/0034)."""
        divisible = all(limit >= MANY_SHARDS * room for limit, room in self._counted())
        return MANY_SHARDS if self.metered and divisible else 1

    def _counted(self) -> list[tuple[int, int]]:
        """The limits on what is counted, each with the room that a shard should have at least."""
        limits = (self.concurrent, self.pictures_per_day, self.micro_dollars_per_day)
        return [(limit, room) for limit, room in zip(limits, _ROOMS, strict=True) if limit is not None]


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """The secret before the last rotation."""

    digest: str
    until: float
    """When it ceases to work, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWebhook:
    """A key's webhook settings."""

    url: str | None = None
    """The receiver for operations without a webhook of their own."""
    events: tuple[str, ...] = ()
    """Of `webhook.EVENTS`; empty: all."""
    generation: int = 1
    """Of the secret that signs (domain/access/encryption.py)."""
    former_until: float = 0.0
    """Until then the generation before signs as well, in seconds since the epoch."""

    def generations(self, now: float) -> tuple[int, ...]:
        """Those that sign at `now`, the newest first."""
        both = now < self.former_until and self.generation > 1
        return (self.generation, self.generation - 1) if both else (self.generation,)

    def rotated(self, now: float, grace: float) -> "KeyWebhook":
        """With a new secret; for `grace` seconds the one before signs as well."""
        return replace(self, generation=self.generation + 1, former_until=now + grace)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept. Times are seconds since the epoch."""

    id: str
    name: str
    owner: str
    """To whom its operations belong: its own id, unless it shares another key's operations."""
    digest: str
    """SHA-256 of the secret, in hexadecimal."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    former: FormerSecret | None = None
    models: tuple[str, ...] = ()
    """The routes it may use; empty: every one."""
    limits: KeyLimits = field(default_factory=KeyLimits)
    shards: int = 1
    """Counters of its usage; as many as when it was made, for then they hold the sum."""
    webhook: KeyWebhook = field(default_factory=KeyWebhook)
    version: int = 1

    def state(self, now: float) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def revoked(self, now: float) -> "ApiKey":
        """The next version, revoked; a revoked key is returned unchanged."""
        return self if self.revoked_at is not None else replace(self, revoked_at=now, version=self.version + 1)

    def rotated(self, now: float, grace: float) -> tuple["ApiKey", str]:
        """The next version with a new secret, and the text to present; the secret of now works `grace` seconds more.

        Raises WrongState when it is revoked or has expired.
        """
        if (state := self.state(now)) != "active":
            raise WrongState(
                f"Key {self.id} is {state}.",
                remedy=f"Create another one; with --owner {self.owner} it sees the same operations.",
            )
        secret = _random(_SECRET_LENGTH)
        former = FormerSecret(self.digest, now + grace)
        return replace(self, digest=digest(secret), former=former, version=self.version + 1), _text(self.id, secret)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request."""

    owner: str
    """The owner whose operations it may see."""
    key: ApiKey | None = None
    """`None` where no key is required, or a signed link was presented instead."""

    def may_use(self, model: str) -> bool:
        """True when the key is for the route `model`."""
        return self.key is None or not self.key.models or model in self.key.models

    def require(self, model: str) -> None:
        """Raises Forbidden unless the key is for the route `model`."""
        if not self.may_use(model):
            assert self.key
            allowed = ", ".join(self.key.models)
            raise Forbidden(
                f"This API key is not for the model '{model}'.", param="model", remedy=f"Use one of: {allowed}."
            )


def issue(
    name: str,
    now: float,
    *,
    owner: str | None = None,
    expires_at: float | None = None,
    models: tuple[str, ...] = (),
    limits: KeyLimits | None = None,
    webhook: KeyWebhook | None = None,
) -> tuple[ApiKey, str]:
    """A new key and the text to present, which exists nowhere else; without `owner` it is its own."""
    key_id, secret = _random(_ID_LENGTH), _random(_SECRET_LENGTH)
    key = ApiKey(
        id=key_id,
        name=name,
        owner=owner or key_id,
        digest=digest(secret),
        created_at=now,
        expires_at=expires_at,
        models=models,
        limits=limits or KeyLimits(),
        shards=(limits or KeyLimits()).shards,
        webhook=webhook or KeyWebhook(),
    )
    return key, _text(key_id, secret)


def parse(presented: str) -> tuple[str, str] | None:
    """Id and secret in what was presented; `None` when it has not the shape of a key."""
    matched = _SHAPE.fullmatch(presented)
    return (matched[1], matched[2]) if matched else None


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def admit(key: ApiKey | None, secret: str, now: float) -> Principal:
    """Check `secret` in constant time, whatever part of it is right.

    Raises Unauthenticated. Only a caller with the right secret learns that the key was revoked or has expired.
    """
    if not _opens(key, digest(secret), now):
        refuse()
    assert key
    if (state := key.state(now)) != "active":
        raise Unauthenticated(f"This API key is {state}.", remedy="Ask the operator of this gateway for a new one.")
    return Principal(key.owner, key)


def refuse() -> NoReturn:
    """Raise Unauthenticated for an unknown credential."""
    raise Unauthenticated("Unknown API key.", remedy=HOW_TO_SEND)


def _opens(key: ApiKey | None, presented: str, now: float) -> bool:
    former = key.former if key else None
    current = hmac.compare_digest(presented, key.digest if key else _NO_DIGEST)
    earlier = hmac.compare_digest(presented, former.digest if former else _NO_DIGEST)
    return current or (earlier and former is not None and now < former.until)


def _text(key_id: str, secret: str) -> str:
    return f"ig_{key_id}_{secret}"


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
