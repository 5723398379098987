"""OpenAI's list of models."""

from collections.abc import Callable, Mapping
from typing import Any

from imagegate.domain.request.abilities import describe_limits, describe_route
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes

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


TargetFacts = Callable[[Target], Mapping[str, Any]]
"""What the deployment knows of a target: `available`, `missing_secrets`, `expected_seconds`, `slow_seconds`."""


def render_models(routes: Routes, may_use: Callable[[str], bool], facts: TargetFacts) -> dict[str, Any]:
    """GET /v1/models: every name that a request can have, aliases marked with `alias_of`."""
    usable = [route for route in routes if may_use(route.model)]
    rendered = {route.model: render_model(route, facts) for route in usable}
    names = [route.model for route in usable]
    names += [alias for route in usable for alias in route.aliases if "*" not in alias]
    listed = list[dict[str, Any]]()
    for name in dict.fromkeys((*names, *HARD_CODED_NAMES)):
        route = routes.find(name)  # of a name that several models share, the one that is available
        if route and route.model in rendered:
            alias = {} if route.model == name else {"id": name, "alias_of": route.model}
            listed.append({**rendered[route.model], **alias})
    return {"object": "list", "data": listed}


def render_model(route: Route, facts: TargetFacts) -> dict[str, Any]:
    """One entry of GET /v1/models, under the route's own name."""
    known = [facts(target) for target in route.targets]
    targets = [_render_target(target, of_it) for target, of_it in zip(route.targets, known, strict=True)]
    return {
        "id": route.model,
        "alias_of": None,
        "object": "model",
        "created": 0,
        "owned_by": "imagegate",
        "description": route.description,
        "aliases": list(route.aliases),
        "providers": [target.provider for target in route.targets],
        "available": any(of_it["available"] for of_it in known),
        "capabilities": describe_route(route),
        "targets": targets,
    }


def _render_target(target: Target, facts: Mapping[str, Any]) -> dict[str, Any]:
    limits = describe_limits(target.limits)
    prices = {"price_usd": target.price_usd, "megapixel_usd": target.megapixel_usd}
    return {"provider": target.provider, "model": target.model, **prices, **facts, **limits}
