"""What a dialect hands to the web layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagegate.domain.operation import Picture


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer with a JSON body."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handout:
    """A picture in the form the caller asked for: its URL or its bytes as base64."""

    picture: Picture
    url: str | None = None
    b64: str | None = None
