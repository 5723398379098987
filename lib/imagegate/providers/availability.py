"""Which credentials a provider lacks. Finds out by a submission that ends where it would be sent."""

from collections.abc import Callable, Collection, Iterator
from typing import NoReturn

from imagegate.domain.failure import SecretsUnreadable, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpRequest, HttpResponse, Secrets, ServerSentEvent
from imagegate.providers.credentials import MissingSecret, without_log
from imagegate.providers.registry import Providers, RouteTable

_REQUEST = ImageRequest(model="", messages=(Message("a"),))


def missing_secrets(table: RouteTable, provider: str, model: str, names: Collection[str]) -> tuple[str, ...]:
    """The secrets of which one has to be set before the provider can be asked; none if it can.

    `names`: the secrets that are set. Raises MisconfiguredError for a provider that the table does not have.
    """
    try:
        _submit_nothing(table, provider, model, _Named(names))
    except MissingSecret as error:
        return error.names
    except (_SendingError, UpstreamError, ValueError, KeyError):
        # It came to sending, or to what an invented credential is no use for.
        return ()
    return ()


def needed_secrets(table: RouteTable, provider: str, model: str) -> list[tuple[str, ...]]:
    """The secrets that the provider needs: one of each tuple. Raises MisconfiguredError as `missing_secrets` does."""
    needed: list[tuple[str, ...]] = []
    while missing := missing_secrets(table, provider, model, [names[0] for names in needed]):
        needed.append(missing)
    return needed


def read_secrets(table: RouteTable, provider: str, model: str, secrets: Secrets) -> None:
    """Have `secrets` read what a submission to the provider needs. Raises SecretsUnreadable."""
    try:
        _submit_nothing(table, provider, model, secrets)
    except SecretsUnreadable:
        raise
    except Exception:  # whatever is wrong, the submission itself tells it
        return


def _submit_nothing(table: RouteTable, provider: str, model: str, secrets: Secrets) -> None:
    """Submit until it would be sent. Raises _SendingError then, or what the provider raises before."""
    made = Providers(_NoHttp(), secrets, {}, table)(provider)
    with without_log():
        made.submit(UpstreamRequest(request=_REQUEST, model=model, count=1))


def cached_names(
    read: Callable[[], frozenset[str] | None], now: Callable[[], float], seconds: float
) -> Callable[[], frozenset[str] | None]:
    """`read`, called once in so many seconds."""
    kept: dict[str, tuple[float, frozenset[str] | None]] = {}

    def names() -> frozenset[str] | None:
        read_at, found = kept.get("names", (float("-inf"), None))
        if now() - read_at >= seconds:
            found = read()
            kept["names"] = (now(), found)
        return found

    return names


class _SendingError(Exception):
    """The submission would be sent now."""


class _Named:
    """Secrets of which only the names are known."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def get(self, name: str) -> str | None:
        """Something for a secret that is set."""
        return "secret" if name in self._names else None


class _NoHttp:
    """An Http that sends nothing."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Raise _SendingError."""
        self._stop()

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Raise _SendingError."""
        self._stop()

    def download(self, url: str, trusted_base: str) -> bytes:
        """Raise _SendingError."""
        self._stop()

    def _stop(self) -> NoReturn:
        raise _SendingError
