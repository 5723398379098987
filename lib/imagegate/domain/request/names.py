"""Names of models as people write them. Pure."""

import re
import unicodedata

_BLANKS = re.compile(r"[\s_]+")
_BRACKETS = re.compile(r"[\[\]()]")
_MAKER = re.compile(r"^.*[/:]")
_VARIANT = re.compile(r"-20\d\d-\d\d-\d\d$|[:@](free|latest)$|-free$")
_TAG = re.compile(r"[:@](free|latest)$")
_SIGNS = re.compile(r"[^a-z0-9*]")
_MOST_SEGMENTS = 3
"""Of a name, from its end, that may be one with slashes for hyphens."""


def canonical_name(name: str) -> str:
    """The name without case, blanks around it and the maker before it: `black-forest-labs/FLUX.1-schnell` too."""
    return _MAKER.sub("", _literal(name))


def spellings(name: str) -> tuple[str, ...]:
    """The names that `name` can stand for, the most literal first.

    As it is, in lower case, and without the maker before a slash or colon; then the same without any sign, because
    `dalle-3`, `DALL·E 3` and `fal-ai/flux/schnell` are also written.
    """
    literal = _literal(name)
    short = literal.rpartition("/")[2]
    segments = literal.split("/")
    joined = ["".join(segments[-count:]) for count in range(1, min(len(segments), _MOST_SEGMENTS) + 1)]
    plain = [_SIGNS.sub("", text) for text in (*joined, canonical_name(name))]
    return tuple(dict.fromkeys([name, literal, short, canonical_name(name), *filter(None, plain)]))


def prefixes(start: str) -> tuple[str, ...]:
    """How a name may begin that an alias `start*` covers; without signs only where `start` names no maker."""
    literal = _literal(start)
    plain = _SIGNS.sub("", literal)
    return (start, literal, plain) if plain and "/" not in literal else (start, literal)


def upstream_name(name: str, spelled: str) -> str:
    """What a provider that takes any name is asked for: the spelling that is known, with its signs, without a tag."""
    written = spelled if _SIGNS.search(spelled) else canonical_name(name)
    return _TAG.sub("", written.strip())


def without_variant(name: str) -> str:
    """The name without a snapshot's date or the like: `gpt-image-2` of `gpt-image-2-2026-04-21` or `:latest`."""
    return _VARIANT.sub("", name)


def _literal(name: str) -> str:
    return _BLANKS.sub("-", _BRACKETS.sub("", unicodedata.normalize("NFKC", name)).strip().casefold())
