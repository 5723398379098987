"""OpenAI's list of models."""

from collections.abc import Callable
from typing import Any

from imagegate.domain.request.route import Route, Routes

HARD_CODED_NAMES = (
    "dall-e-2",
    "dall-e-3",
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-1.5",
    "gpt-image-2",
    "chatgpt-image-latest",
)
"""Models of OpenAI's that clients offer or ask for without asking which models there are."""


def render_models(routes: Routes, may_use: Callable[[str], bool]) -> dict[str, Any]:
    """GET /v1/models: every name that a request can have, aliases marked with `alias_of`."""
    usable = [route for route in routes if may_use(route.model)]
    names = {alias: route for route in usable for alias in route.aliases if "*" not in alias}
    found = {name: route for name in HARD_CODED_NAMES if (route := routes.find(name)) and may_use(route.model)}
    own = {route.model for route in usable}
    aliases = {name: route for name, route in (names | found).items() if name not in own}
    listed = [*map(render_model, usable), *(render_model(route, name) for name, route in aliases.items())]
    return {"object": "list", "data": listed}


def render_model(route: Route, alias: str | None = None) -> dict[str, Any]:
    """One entry of GET /v1/models; `alias` is the name in place of the route's own."""
    return {
        "id": alias or route.model,
        "alias_of": route.model if alias else None,
        "object": "model",
        "created": 0,
        "owned_by": "imagegate",
        "description": route.description,
        "aliases": list(route.aliases),
        "providers": [target.provider for target in route.targets],
    }
