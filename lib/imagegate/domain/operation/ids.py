"""Operation ids: 20 characters of lower-case Crockford base32.

48 bits of milliseconds, then 52 random bits: sortable by creation, opaque, and of the
length and alphabet that clients of YandexART's operations expect.
"""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 20
_RANDOM_BITS = LENGTH * 5 - 48


def new_id(now: float) -> str:
    """Make an id for something created at `now` (seconds since the epoch)."""
    return _encoded((int(now * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def is_id(text: str) -> bool:
    """True when `text` has the shape of an operation id."""
    return len(text) == LENGTH and all(character in ALPHABET for character in text)


def first_id(now: float) -> str:
    """The smallest id of anything created at `now` (seconds since the epoch) or later; nothing is older than those."""
    return _encoded(int(max(now, 0.0) * 1000) << _RANDOM_BITS)


def created_at(operation_id: str) -> float:
    """When the operation of that id was created, in seconds since the epoch."""
    number = 0
    for character in operation_id:
        number = number << 5 | ALPHABET.index(character)
    return (number >> _RANDOM_BITS) / 1000


def _encoded(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))
