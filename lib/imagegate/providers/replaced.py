"""Base URLs that a deployment sets in place of an upstream's own."""

from collections.abc import Iterator, Mapping
from typing import NoReturn

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, ServerSentEvent


def reach(name: str, base_url: str, replaced: Mapping[str, str] | None, http: Http) -> tuple[str, Http]:
    """Where the upstream is, and the way there.

    `replaced` holds the deployment's own base URLs by name; `None`: they cannot be read. One that is empty leaves no
    way there: the upstream's own `base_url` would get what is meant for another server.
    """
    url = "" if replaced is None else replaced.get(name, base_url)
    lost = replaced is None or (name in replaced and not url)
    return (base_url, _NoWay(name)) if lost else (url, http)


class _NoWay:
    """The Http of an upstream that has no address."""

    def __init__(self, name: str) -> None:
        self._message = f"{name}: its base URL in this deployment's UpstreamBaseUrls cannot be read."

    def send(self, request: HttpRequest) -> HttpResponse:
        """Raise UpstreamError(auth): the deployment has to be changed, another try is of no use."""
        self._fail(FailureCode.AUTH)

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Raise UpstreamError(capacity): the stream is not opened, so what it holds is not lost."""
        self._fail(FailureCode.CAPACITY)

    def download(self, url: str, trusted_base: str) -> bytes:
        """Raise UpstreamError(upstream_failed)."""
        self._fail(FailureCode.UPSTREAM_FAILED)

    def _fail(self, code: FailureCode) -> NoReturn:
        raise UpstreamError(Failure(code, self._message))
