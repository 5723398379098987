"""Estimate the route, cost and duration of a request without making it."""

import math
from dataclasses import dataclass
from typing import Any

from imagegate.domain.request.capabilities import ignored
from imagegate.domain.request.expansion import check_expandable
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Target
from imagegate.domain.request.routes import Routes
from imagegate.ports.storage import Latencies

_SLOW = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Checks a request against its route, its prices, and how long such jobs have taken."""

    routes: Routes
    latencies: Latencies
    expands: bool = False
    """Whether prompts can be expanded."""

    def __call__(self, request: ImageRequest) -> dict[str, Any]:
        """The route of the request, with cost and duration at its first provider; the others are for failures.

        US dollars, `None` where no price is known; seconds. Raises UnknownModel, ModelNotAvailable,
        InvalidRequest or CannotExpand as `start` would.
        """
        request = self.routes.accept(request)
        route = self.routes.resolve(request)
        check_expandable(request, self.expands)
        stops = [self._stop(target, request) for target in route.targets]
        first = {name: stops[0][name] for name in ("estimated_cost_usd", "estimated_seconds", "slow_seconds")}
        return {"valid": True, "model": route.model, "n": request.n, **first, "route": stops}

    def _stop(self, target: Target, request: ImageRequest) -> dict[str, Any]:
        histogram = self.latencies.get(target.provider, target.model)
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
    """How many submissions follow one another: those to SYNC upstreams do, the others overlap."""
    if target.limits.completion is not CompletionMode.SYNC:
        return 1
    together = 1 if request.seed is not None else target.limits.images_per_call
    return math.ceil(request.n / together)
