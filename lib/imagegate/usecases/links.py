"""Link to paths of this gateway so that they open without a key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.signed_link import expires_at, sign, verify
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import picture_path
from imagegate.domain.wait_pass import WaitPass
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import SigningSecret

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Signs paths and knows its signatures again. Where every path is open it leaves them as they are."""

    secret: SigningSecret | None
    """`None` where no key is asked for."""
    clock: Clock

    def sign(self, path: str, owner: str, until: float, query: str = "") -> str:
        """`path` with `query` and a token that opens both together until then (seconds since the epoch)."""
        target = f"{path}?{query}" if query else path
        token = f"token={sign(self.secret(), target, owner, until)}" if self.secret else ""
        parameters = "&".join(part for part in (query, token) if part)
        return f"{path}?{parameters}" if parameters else path

    def verify(self, path: str, token: str) -> str | None:
        """The owner on whose behalf `token` opens `path`; `None` when it does not."""
        return verify(self.secret(), path, token, self.clock.now()) if self.secret else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopLinks:
    """Links on which a wait goes on, signed with their number and what they are counted in; plain where all is open."""

    links: Links
    active_key: Callable[[str], ApiKey | None]
    """Finds the API key of an id; `None` when there is none, or it is revoked or expired."""

    def __call__(self, operation: Operation, hop: int, waiting: WaitPass | None) -> str:
        """The path of the wait's hop number `hop`."""
        path, query = f"/v1/operations/{operation.id}/wait", f"hop={hop}"
        if waiting is None:
            return f"{path}?{query}"
        return self.links.sign(path, waiting.key.id, waiting.expires, f"{query}&wait={waiting.wait_id}")

    def opened(self, path: str, query: Mapping[str, str]) -> WaitPass | None:
        """What the link with this path and query gives a right to; `None` when it does not, or its key is dead."""
        hop, wait_id, token = (query.get(name, "") for name in ("hop", "wait", "token"))
        key_id = self.links.verify(f"{path}?hop={hop}&wait={wait_id}", token)
        key = self.active_key(key_id) if key_id else None
        return WaitPass(key=key, wait_id=wait_id, expires=expires_at(token), shown=False, linked=True) if key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLinks:
    """Links that open as long as the picture is kept: the same in every answer, fit for a web page."""

    links: Links
    image_days: float

    def __call__(self, operation: Operation, slot: int) -> str:
        """The path that leads to the picture in a slot."""
        return self.links.sign(picture_path(operation, slot), operation.owner, self.until(operation))

    def until(self, operation: Operation) -> float:
        """When the bucket's lifecycle removes the operation's pictures."""
        return (operation.ended_at or operation.created_at) + self.image_days * _DAY
