"""The route tables of a deployment: the one in force, and those that operations under way began with."""

import logging
from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import PushedRoutes, RoutesStore
from imagegate.ports.upstreams import Http, Provider, Reach, Secrets
from imagegate.providers import registry
from imagegate.providers.availability import missing_secrets, read_secrets
from imagegate.providers.registry import Providers, RouteTable

BUILTIN = ""
"""The version of models.toml itself, which is in force until a file is pushed."""


class RouteTables:
    """Reads the file in force once in so many seconds, and each other version once."""

    def __init__(self, store: RoutesStore, clock: Clock, cache_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._read_at = float("-inf")
        self._current: RouteTable | None = None
        self._refused = ""
        self._known: dict[str, RouteTable] = {BUILTIN: RouteTable(registry.builtin().document, BUILTIN)}
        self._lock = Lock()

    def current(self) -> RouteTable:
        """The table in force. While its file cannot be read or used, the last good one."""
        with self._lock:
            if self._current is None or self._clock.now() - self._read_at >= self._cache_seconds:
                self._current = self._read_current()
                self._read_at = self._clock.now()
            return self._current

    def of(self, version: str | None) -> RouteTable:
        """The table of that version; the one in force for `None`, and for a version that is not to be found."""
        if version is None:
            return self.current()
        if version not in self._known and (pushed := self._store.get(version)):
            self._learn(pushed)
        return self._known.get(version) or self.current()

    def entry_limits(self, provider: str) -> Limits | None:
        """What a provider of that name accepts, in the newest table of this process that has it."""
        for table in reversed(self._known.values()):
            if provider in table.document["providers"]:
                return table.limits_of(provider)
        return None

    def limits_of(self, provider_key: str) -> Limits:
        """What the provider accepts. Raises MisconfiguredError when there is none."""
        name, version = split_key(provider_key)
        return self.of(version).limits_of(name)

    def _read_current(self) -> RouteTable:
        try:
            pushed = self._store.current()
        except Exception:
            if self._current is None:
                raise
            logging.exception("the routes cannot be read; those that were read last stay in force")
            return self._current
        if pushed is None:
            return self._known[BUILTIN]
        if pushed.version in self._known:
            return self._known[pushed.version]
        return self._learn(pushed) or self._current or self._last_good(pushed)

    def _learn(self, pushed: PushedRoutes) -> RouteTable | None:
        # Here, for few deployments have pushed any.
        from imagegate.providers.routes_file import RoutesFileError, parse_routes

        try:
            table = parse_routes(pushed.text, f"routes {pushed.version}", pushed.version)
        except RoutesFileError as error:
            if self._refused != pushed.version:
                logging.error("routes that cannot be used; those before stay in force: %s", error)
            self._refused = pushed.version
            return None
        self._known[pushed.version] = table
        return table

    def _last_good(self, pushed: PushedRoutes) -> RouteTable:
        """The newest table before `pushed` that can be used."""
        while pushed.previous and (before := self._store.get(pushed.previous)):
            if table := self._learn(before):
                return table
            pushed = before
        return self._known[BUILTIN]


class LiveRoutes(Routes):
    """The routes in force; a request that began with others keeps those."""

    def __init__(self, tables: RouteTables, secret_names: Callable[[], frozenset[str] | None] = lambda: None) -> None:
        """`secret_names`: the upstream credentials that are set; `None` while that is not known."""
        self._tables = tables
        self._secret_names = secret_names
        self._lacking: dict[tuple[str | None, str, str, frozenset[str]], tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[Route]:
        return iter(self._tables.current().routes)

    def is_available(self, route: Route) -> bool:
        """True when one of the model's providers can be asked."""
        return self._current().is_available(route)

    def accept(self, request: ImageRequest) -> ImageRequest:
        """The request as it is stored, with the table in force."""
        return self._current().accept(request)

    def find(self, name: str) -> Route | None:
        """The route of that name or alias."""
        return self._current().find(name)

    def working_from(self, pictures: int, *, prompted: bool, masked: bool = False) -> list[str]:
        """The models that take so many input pictures, with a prompt or without, with a mask or without."""
        return self._current().working_from(pictures, prompted=prompted, masked=masked)

    def resolve(self, request: ImageRequest, model: str = "") -> Route:
        """The route for `request`, by the table that it was accepted with. Raises what `Routes.resolve` raises."""
        return self._knowing(self._tables.of(request.routes)).resolve(request, model)

    def route_of(self, request: ImageRequest, model: str) -> Route:
        """The route of an operation that began as `model`, by the table that it was accepted with."""
        return self._tables.of(request.routes).routes.route_of(request, model)

    def missing_secrets(self, target: Target) -> tuple[str, ...]:
        """The secrets of which one has to be set before a target of the table in force can be asked."""
        return self._missing_in(self._tables.current(), target)

    def _current(self) -> Routes:
        return self._knowing(self._tables.current())

    def _knowing(self, table: RouteTable) -> Routes:
        return table.routes.knowing(lambda target: self._missing_in(table, target))

    def _missing_in(self, table: RouteTable, target: Target) -> tuple[str, ...]:
        names = self._secret_names()
        if names is None:
            # Names that are passed through mostly have another model to fall back to, which needs no key.
            if target.model != "*":
                return ()
            names = frozenset()
        key = table.version, target.provider, target.model, names
        if key not in self._lacking:
            self._lacking[key] = missing_secrets(table, target.provider, target.model, names)
        return self._lacking[key]


class LiveProviders:
    """Finds providers by name and version of their table."""

    def __init__(
        self,
        tables: RouteTables,
        http: Http,
        secrets: Secrets,
        base_urls: Mapping[str, str],
        confine: Callable[[Reach], Http],
    ) -> None:
        self._tables = tables
        self._http = http
        self._confine = confine
        self._made: dict[str | None, Providers] = {}
        self._reach: dict[str, Reach] = {}
        self._base_urls = base_urls
        self._secrets = secrets

    def __call__(self, provider_key: str) -> Provider:
        """The provider. Raises MisconfiguredError when the table has none of that name."""
        name, version = split_key(provider_key)
        table = self._tables.of(version)
        if table.version not in self._made:
            self._made[table.version] = Providers(self._http, self._secrets, self._base_urls, table, self._confine)
        provider = self._made[table.version](name)
        entry = table.entry(name)
        if name in table.own or (entry.reach.picture_hosts and provider.base_url == entry.base_url.rstrip("/")):
            self._reach[provider.base_url] = entry.reach
        return provider

    def prepare(self, provider_key: str, model: str) -> None:
        """Read the credentials that a submission needs; they are kept. Raises SecretsUnreadable."""
        name, version = split_key(provider_key)
        read_secrets(self._tables.of(version), name, model, self._secrets)

    def http_of(self, base_url: str) -> Http:
        """The way to the pictures of the provider with that base URL."""
        reach = self._reach.get(base_url)
        return self._confine(reach) if reach else self._http


class PictureHttp:
    """Http whose downloads stay within the reach of the provider that made the picture."""

    def __init__(self, http: Http, http_of: Callable[[str], Http]) -> None:
        """`http_of`: the Http of the provider with that base URL."""
        self.send = http.send
        self.stream = http.stream
        self._http_of = http_of

    def download(self, url: str, trusted_base: str) -> bytes:
        """As `Http.download`."""
        return self._http_of(trusted_base).download(url, trusted_base)


def split_key(provider_key: str) -> tuple[str, str]:
    """A provider's name, and the version of its table."""
    name, _, version = provider_key.partition("@")
    return name, version
