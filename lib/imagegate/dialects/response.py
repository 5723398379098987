"""What a dialect hands to the web layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from imagegate.domain.operation.operation import Picture


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP answer; a `body` that is no bytes is sent as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The answer with `headers` added."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """A picture in the form the caller asked for: its URL or its bytes as base64."""

    picture: Picture
    url: str | None = None
    b64: str | None = None
