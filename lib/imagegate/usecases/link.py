"""Link to paths of this gateway so that they open without a key."""

from imagegate.domain.operation import Operation
from imagegate.domain.representation import picture_path
from imagegate.domain.signed_link import holder, sign
from imagegate.ports.keeping import Clock, SigningSecret

_DAY = 86_400.0


class Links:
    """Signs paths and knows its signatures again. Where every path is open it leaves them as they are."""

    def __init__(self, secret: SigningSecret | None, clock: Clock) -> None:
        """`secret`: `None` where no key is asked for."""
        self._secret = secret
        self._clock = clock

    def signed(self, path: str, owner: str, until: float, query: str = "") -> str:
        """`path` with `query` and a token that opens it until then (seconds since the epoch)."""
        token = f"token={sign(self._secret(), path, owner, until)}" if self._secret else ""
        parameters = "&".join(part for part in (query, token) if part)
        return f"{path}?{parameters}" if parameters else path

    def holder(self, path: str, token: str) -> str | None:
        """The owner on whose behalf `token` opens `path`; `None` when it does not."""
        return holder(self._secret(), path, token, self._clock.now()) if self._secret else None


class PictureLinks:
    """Links that open as long as the picture is kept: the same in every answer, fit for a web page."""

    def __init__(self, links: Links, image_days: float) -> None:
        self._links = links
        self._kept = image_days * _DAY

    def __call__(self, operation: Operation, slot: int) -> str:
        """The path that leads to the picture in a slot."""
        return self._links.signed(picture_path(operation, slot), operation.owner, self.until(operation))

    def until(self, operation: Operation) -> float:
        """When the bucket's lifecycle removes the operation's pictures."""
        return (operation.ended_at or operation.created_at) + self._kept
