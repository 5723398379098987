"""Find out who makes a request."""

from imagegate.domain.access.api_key import EVERYBODY, HOW_TO_SEND, ApiKey, Principal, admit, parse, refuse
from imagegate.domain.errors import Unauthenticated
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import ApiKeys

_CAPACITY = 10_000
_NEVER = float("-inf")


def everybody(presented: str | None) -> Principal:
    """Where no key is asked for, everything belongs to everybody, and what is presented is not looked at."""
    return Principal(EVERYBODY)


class Authenticate:
    """Knows the holder of a key. What was read of a key is trusted for a while, its secret is compared every time."""

    def __init__(self, keys: ApiKeys, clock: Clock, trust_seconds: float) -> None:
        """`trust_seconds`: how long an answer of the table, absence included, counts; a revocation takes as long."""
        self._keys = keys
        self._clock = clock
        self._trust = trust_seconds
        # Apart, so that a flood of invented ids cannot push out the real keys.
        self._known = _Remembered()
        self._unknown = _Remembered()

    def __call__(self, presented: str | None) -> Principal:
        """The principal behind a credential as it was presented, without its scheme. Raises Unauthenticated."""
        if not presented:
            raise Unauthenticated("No API key was given.", remedy=HOW_TO_SEND)
        parts = parse(presented)
        if parts is None:
            refuse()
        key_id, secret = parts
        now = self._clock.now()
        return admit(self._key(key_id, now), secret, now)

    def active_key(self, key_id: str) -> ApiKey | None:
        """The key of that id, if it lets anybody in; a revocation is seen as late as by those who show the key."""
        now = self._clock.now()
        key = self._key(key_id, now)
        return key if key and key.state(now) == "active" else None

    def _key(self, key_id: str, now: float) -> ApiKey | None:
        for remembered in (self._known, self._unknown):
            read_at, key = remembered.get(key_id)
            if 0 <= now - read_at < self._trust:
                return key
        key = self._keys.get(key_id)
        (self._known if key else self._unknown).put(key_id, (now, key))
        return key


class OnBehalf:
    """The principal for work that comes without a credential: the holder of a key that the operator has named."""

    def __init__(self, keys: ApiKeys, clock: Clock, key_id: str) -> None:
        self._keys = keys
        self._clock = clock
        self._key_id = key_id

    def __call__(self) -> Principal:
        """That principal. Raises Unauthenticated unless the key is there and active."""
        key = self._keys.get(self._key_id)
        state = key.state(self._clock.now()) if key else "unknown"
        if key is None or state != "active":
            raise Unauthenticated(f"The API key in whose name this would be done is {state}.", remedy="Name another.")
        return Principal(key.owner, key)


class _Remembered:
    """What was read of the last keys, and when."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, ApiKey | None]] = {}

    def get(self, key_id: str) -> tuple[float, ApiKey | None]:
        return self._entries.get(key_id, (_NEVER, None))

    def put(self, key_id: str, entry: tuple[float, ApiKey | None]) -> None:
        self._entries.pop(key_id, None)
        self._entries[key_id] = entry
        if len(self._entries) > _CAPACITY:
            del self._entries[next(iter(self._entries))]
