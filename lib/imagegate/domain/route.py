"""Routes: which providers serve a model, and what each can honour."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from imagegate.domain.errors import InvalidRequest, UnknownModel
from imagegate.domain.geometry import Grid, Size
from imagegate.domain.request import ImageRequest


class Waits(StrEnum):
    """How a provider lets us wait for the picture."""

    POLL = "poll"
    """Cheap questions, any number of them."""
    HOLD = "hold"
    """One stream that must be read to its end."""
    BLOCKING = "blocking"
    """The submission itself answers with the picture."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an upstream accepts and how it behaves."""

    waits: Waits
    grid: Grid
    prompt_characters: int
    images_per_call: int = 1
    seed_maximum: int = 2**31 - 1
    steps_maximum: int | None = None
    """None: the upstream takes no step count."""
    negative_prompt: bool = False
    guidance: bool = False
    hold_seconds: float = 840.0
    """How long one look may keep its connection open."""

    def size_for(self, request: ImageRequest) -> Size:
        """The pixels this upstream makes for `request`: the nearest it has."""
        if request.size:
            return self.grid.nearest(request.size)
        return self.grid.of_ratio(*(request.ratio or (1, 1)))


@dataclass(frozen=True, slots=True)
class Target:
    """One stop of a route: a provider and its own name for the model."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Route:
    """A model name and the providers that serve it, in the order they are tried."""

    model: str
    targets: tuple[Target, ...]
    aliases: tuple[str, ...] = ()
    description: str = ""

    def narrowed(self, provider: str | None) -> "Route":
        """The route with only `provider` on it, for callers who insist.

        Raises InvalidRequest when that provider does not serve the model.
        """
        if provider is None:
            return self
        kept = tuple(target for target in self.targets if target.provider == provider)
        if not kept:
            known = ", ".join(target.provider for target in self.targets)
            raise InvalidRequest(
                f"Provider '{provider}' does not serve the model '{self.model}'.",
                param="provider",
                remedy=f"Leave provider out, or use one of: {known}.",
            )
        return Route(self.model, kept, self.aliases, self.description)


class Routes:
    """Every route, found by model name or alias."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)
        self._by_name = {name: route for route in self._routes for name in (route.model, *route.aliases)}

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def named(self, name: str) -> Route | None:
        """The route of that name or alias."""
        return self._by_name.get(name)

    def of(self, request: ImageRequest) -> Route:
        """The route for `request`.

        Raises UnknownModel (which lists the known ones) or InvalidRequest (provider not on the route).
        """
        route = self.named(request.model)
        if route is None:
            known = ", ".join(one.model for one in self._routes)
            raise UnknownModel(
                f"The model '{request.model}' does not exist here.",
                param="model",
                remedy=f"Use one of: {known}.",
            )
        return route.narrowed(request.provider)
