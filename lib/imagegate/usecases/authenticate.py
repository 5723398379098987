"""Find out who makes a request."""

from dataclasses import dataclass, field

from imagegate.domain.access.api_key import EVERYBODY, HOW_TO_SEND, ApiKey, Principal, admit, parse, refuse
from imagegate.domain.errors import Unauthenticated
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import ApiKeys

_CAPACITY = 10_000
_NEVER = float("-inf")


def everybody(presented: str | None) -> Principal:
    """The shared principal of an open deployment, whatever credential was presented."""
    return Principal(EVERYBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Finds the owner of an API key. Caches what the table says of a key; compares the secret every time."""

    keys: ApiKeys
    clock: Clock
    trust_seconds: float
    """Seconds for which an answer of the table is cached, absence included; a revocation takes as long."""
    # Two caches, so that a flood of invented ids cannot push out the real keys.
    _known: "_KeyCache" = field(default_factory=lambda: _KeyCache(), init=False)
    _unknown: "_KeyCache" = field(default_factory=lambda: _KeyCache(), init=False)

    def __call__(self, presented: str | None) -> Principal:
        """The principal behind a credential as it was presented, without its scheme. Raises Unauthenticated."""
        if not presented:
            raise Unauthenticated("No API key was given.", remedy=HOW_TO_SEND)
        parts = parse(presented)
        if parts is None:
            refuse()
        key_id, secret = parts
        now = self.clock.now()
        return admit(self._key(key_id, now), secret, now)

    def active_key(self, key_id: str) -> ApiKey | None:
        """The key of that id if it is active; a revocation takes effect after `trust_seconds`, as for callers."""
        now = self.clock.now()
        key = self._key(key_id, now)
        return key if key and key.state(now) == "active" else None

    def _key(self, key_id: str, now: float) -> ApiKey | None:
        for remembered in (self._known, self._unknown):
            read_at, key = remembered.get(key_id)
            if 0 <= now - read_at < self.trust_seconds:
                return key
        key = self.keys.get(key_id)
        (self._known if key else self._unknown).put(key_id, (now, key))
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBehalf:
    """The principal for work without a credential: the owner of a key that the operator has named."""

    keys: ApiKeys
    clock: Clock
    key_id: str

    def __call__(self) -> Principal:
        """That principal. Raises Unauthenticated unless the key exists and is active."""
        key = self.keys.get(self.key_id)
        state = key.state(self.clock.now()) if key else "unknown"
        if key is None or state != "active":
            raise Unauthenticated(f"The API key in whose name this would be done is {state}.", remedy="Name another.")
        return Principal(key.owner, key)


class _KeyCache:
    """The keys read last, and when."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, ApiKey | None]] = {}

    def get(self, key_id: str) -> tuple[float, ApiKey | None]:
        return self._entries.get(key_id, (_NEVER, None))

    def put(self, key_id: str, entry: tuple[float, ApiKey | None]) -> None:
        self._entries.pop(key_id, None)
        self._entries[key_id] = entry
        if len(self._entries) > _CAPACITY:
            del self._entries[next(iter(self._entries))]
