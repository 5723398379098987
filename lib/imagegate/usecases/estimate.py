"""Say what a request would do, cost and take, without doing it."""

import math
from typing import Any

from imagegate.domain.request.capabilities import ignored
from imagegate.domain.request.expansion import check_expandable
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Routes, Target
from imagegate.ports.storage import Latencies

_SLOW = 0.9


class Estimate:
    """Checks a request against its route, its prices, and how long such jobs have taken."""

    def __init__(self, routes: Routes, latencies: Latencies, expands: bool = False) -> None:
        """`expands`: whether prompts can be expanded."""
        self._routes = routes
        self._latencies = latencies
        self._expands = expands

    def __call__(self, request: ImageRequest) -> dict[str, Any]:
        """The route it would take, and what its first provider costs and takes; the others are there for failures.

        US dollars, `None` where no price is known; seconds. Raises UnknownModel, InvalidRequest or
        CannotExpand as `start` would.
        """
        route = self._routes.resolve(request)
        check_expandable(request, self._expands)
        stops = [self._stop(target, request) for target in route.targets]
        first = {name: stops[0][name] for name in ("estimated_cost_usd", "estimated_seconds", "slow_seconds")}
        return {"valid": True, "model": route.model, "n": request.n, **first, "route": stops}

    def _stop(self, target: Target, request: ImageRequest) -> dict[str, Any]:
        histogram = self._latencies.get(target.provider, target.model)
        turns = _turns(target, request)
        return {
            "provider": target.provider,
            "model": target.model,
            "estimated_cost_usd": None if target.price_usd is None else round(target.price_usd * request.n, 6),
            "estimated_seconds": round(histogram.quantile(0.5) * turns, 3),
            "slow_seconds": round(histogram.quantile(_SLOW) * turns, 3),
            "not_honoured": list(ignored(request, target.limits)),
        }


def _turns(target: Target, request: ImageRequest) -> int:
    """How many submissions come one after the other: blocking ones cannot overlap, the others do."""
    if target.limits.completion is not CompletionMode.SYNC:
        return 1
    together = 1 if request.seed is not None else target.limits.images_per_call
    return math.ceil(request.n / together)
