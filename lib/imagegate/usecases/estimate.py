"""Say what a request would do, without doing it."""

from typing import Any

from imagegate.domain.request import ImageRequest
from imagegate.domain.route import Routes


class Estimate:
    """Checks a request against its route."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __call__(self, request: ImageRequest) -> dict[str, Any]:
        """The route it would take. Raises UnknownModel or InvalidRequest as `start` would."""
        route = self._routes.of(request)
        stops = [{"provider": target.provider, "model": target.model} for target in route.targets]
        return {"valid": True, "model": route.model, "n": request.n, "route": stops}
