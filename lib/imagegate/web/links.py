"""Signed links: paths of this gateway that open without a key."""

from imagegate.domain.signed_link import holder, sign
from imagegate.ports import Clock, SigningSecret


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
