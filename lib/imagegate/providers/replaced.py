"""URLs that a deployment sets in place of an upstream's own."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, ServerSentEvent

URL_SUFFIX = "_url"
"""How the keys of models.toml end that hold URLs."""

C = TypeVar("C")


def reach(name: str, base_url: str, replaced: Mapping[str, str] | None, http: Http) -> tuple[str, Http]:
    """Where the upstream is, and the way there.

    `replaced` holds the deployment's own URLs by name; `None`: they cannot be read. One that is empty leaves no way
    there: the upstream's own URL would get what is meant for another server.
    """
    mine = {key: url for key, url in (replaced or {}).items() if key.partition(".")[0] == name}
    if replaced is None or not all(mine.values()):
        return base_url, _NoWay(name)
    return mine.get(name, base_url), http


def with_replaced_urls(name: str, config: C, replaced: Mapping[str, str] | None) -> C:
    """The config with the deployment's own URLs in its `*_url` fields, which `replaced` has as `name.field`."""
    urls: dict[str, Any] = {
        key.partition(".")[2]: url
        for key, url in (replaced or {}).items()
        if key.startswith(f"{name}.") and key.endswith(URL_SUFFIX)
    }
    return replace(config, **urls) if urls else config  # type: ignore[type-var]  # typing cannot say "a dataclass"


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
