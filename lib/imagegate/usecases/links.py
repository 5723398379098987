"""Sign paths of this gateway so that they open without an API key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.signed_link import expires_at, sign, verify
from imagegate.domain.access.wait_pass import WaitPass
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import picture_path
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import SigningSecret

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Signs paths and verifies signatures. In an open deployment paths stay unsigned."""

    secret: SigningSecret | None
    """`None` where no API key is required."""
    clock: Clock

    def sign(self, path: str, owner: str, until: float, query: str = "") -> str:
        """`path` with `query` and a token that opens exactly these until `until` (seconds since the epoch)."""
        target = f"{path}?{query}" if query else path
        token = f"token={sign(self.secret(), target, owner, until)}" if self.secret else ""
        parameters = "&".join(part for part in (query, token) if part)
        return f"{path}?{parameters}" if parameters else path

    def verify(self, path: str, token: str) -> str | None:
        """The owner for whom `token` opens `path`; `None` when the token is not valid."""
        return verify(self.secret(), path, token, self.clock.now()) if self.secret else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopLinks:
    """Links by which a wait continues, signed with hop number and wait id; unsigned in an open deployment."""

    links: Links
    active_key: Callable[[str], ApiKey | None]
    """Finds the API key of an id; `None` when there is none, or it is revoked or expired."""

    def __call__(self, operation: Operation, hop: int, waiting: WaitPass | None) -> str:
        """The path of hop number `hop` of a wait."""
        path, query = f"/v1/operations/{operation.id}/wait", f"hop={hop}"
        if waiting is None:
            return f"{path}?{query}"
        return self.links.sign(path, waiting.key.id, waiting.expires, f"{query}&wait={waiting.wait_id}")

    def verify(self, path: str, query: Mapping[str, str]) -> WaitPass | None:
        """The wait pass in a link; `None` when its signature is not valid or its key is not active."""
        hop, wait_id, token = (query.get(name, "") for name in ("hop", "wait", "token"))
        key_id = self.links.verify(f"{path}?hop={hop}&wait={wait_id}", token)
        key = self.active_key(key_id) if key_id else None
        return WaitPass(key=key, wait_id=wait_id, expires=expires_at(token), shown=False, linked=True) if key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLinks:
    """Links that work as long as the picture is kept. Every answer has the same link, so web pages can embed it."""

    links: Links
    image_days: float

    def __call__(self, operation: Operation, slot: int) -> str:
        """The signed path of the picture in a slot."""
        return self.links.sign(picture_path(operation, slot), operation.owner, self.until(operation))

    def until(self, operation: Operation) -> float:
        """When the bucket's lifecycle removes the operation's pictures."""
        return (operation.ended_at or operation.created_at) + self.image_days * _DAY
