"""Operation ids: 20 characters of lower-case Crockford base32 (DESIGN.md §4).

48 bits of milliseconds, then 52 random bits: sortable by creation, opaque, and of the
length and alphabet that clients of YandexART's operations expect.
"""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 20
_RANDOM_BITS = LENGTH * 5 - 48


def new_id(now: float) -> str:
    """Make an id for something created at `now` (seconds since the epoch)."""
    number = (int(now * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))


def is_id(text: str) -> bool:
    """True when `text` has the shape of an operation id."""
    return len(text) == LENGTH and all(character in ALPHABET for character in text)
