"""Names of models as people write them. Pure."""

import re

_BLANKS = re.compile(r"[\s_]+")
_BRACKETS = re.compile(r"[\[\]()]")


def canonical_name(name: str) -> str:
    """The name without case, blanks around it and the maker before it: `black-forest-labs/FLUX.1-schnell` too."""
    return spellings(name)[-1]


def spellings(name: str) -> tuple[str, ...]:
    """The names that `name` can stand for, the most literal first: as it is, and without the maker before a slash."""
    literal = _BLANKS.sub("-", _BRACKETS.sub("", name).strip().casefold())
    return name, literal, literal.rpartition("/")[2]
