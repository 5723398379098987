"""The providers of a route, made when they are first used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from imagegate.domain.request.limits import Limits
from imagegate.domain.request.route import Target


class RouteTargets(Sequence[Target]):
    """The targets of a route, whose protocols are loaded when the first one is used."""

    def __init__(self, route: Mapping[str, Any], limits_for: Callable[[str, str], Limits]) -> None:
        """`route`: its keys in a routes file. `limits_for`: what a provider accepts for a model."""
        self._route = route
        self._limits_for = limits_for

    @cached_property
    def _targets(self) -> tuple[Target, ...]:
        return tuple(self._target(stop) for stop in self._route["route"])

    def _target(self, stop: str) -> Target:
        provider, _, model = stop.partition("/")
        price = self._route.get("prices_usd", {}).get(provider)
        further = self._route.get("megapixel_prices_usd", {}).get(provider, 0.0)
        return Target(
            provider=provider,
            model=model,
            limits=self._limits_for(provider, model),
            price_usd=price,
            megapixel_usd=further,
        )

    @overload
    def __getitem__(self, index: int) -> Target: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Target]: ...
    def __getitem__(self, index: int | slice) -> Target | Sequence[Target]:
        return self._targets[index]

    def __len__(self) -> int:
        return len(self._route["route"])

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets)
