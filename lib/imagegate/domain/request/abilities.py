"""What a model takes, as its providers' limits say. Pure."""

from typing import Any, get_args

from imagegate.domain.request.limits import Capability, Limits
from imagegate.domain.request.route import Route

OUTPUT_FORMATS = ("png", "jpeg", "webp")
"""Formats that imagegate converts pictures to, whatever the provider makes."""
MOST_PARTIALS = 3
"""Partial pictures of one picture, where a provider makes them."""
MOST_PICTURES = 10
"""Pictures of one request; imagegate asks providers as often as it takes."""


def describe_limits(limits: Limits) -> dict[str, Any]:
    """What one provider takes. Pixels, characters; `None` for what it does not take."""
    grid = limits.grid
    return {
        "sizes": {"side_minimum": grid.minimum, "side_maximum": grid.maximum, "side_step": grid.step},
        "prompt_characters": limits.prompt_characters,
        "fields": sorted(limits.capabilities),
        "seed_maximum": limits.seed_maximum if "seed" in limits.capabilities else None,
        "steps_maximum": limits.steps_maximum,
        "input_images": limits.input_images,
        "masks": limits.supports_masks,
        "variations": limits.supports_variations,
    }


def describe_route(route: Route) -> dict[str, Any]:
    """What at least one of the model's providers takes; a request goes to those that take all of it."""
    every = [target.limits for target in route.targets]
    sides = [limits.grid for limits in every]
    fields = frozenset[str]().union(*(limits.capabilities for limits in every))
    return {
        "n_maximum": MOST_PICTURES,
        "sizes": {
            "side_minimum": min(grid.minimum for grid in sides),
            "side_maximum": max(grid.maximum for grid in sides),
            "any_ratio": True,
        },
        "output_formats": list(OUTPUT_FORMATS),
        "prompt_characters": max(limits.prompt_characters for limits in every),
        **{name: name in fields for name in get_args(Capability) if name != "steps"},
        "steps_maximum": max(limits.steps_maximum or 0 for limits in every) or None,
        "input_images": max(limits.input_images for limits in every),
        "edits": any(limits.input_images for limits in every),
        "masks": any(limits.supports_masks for limits in every),
        "variations": any(limits.supports_variations for limits in every),
        "partial_images": MOST_PARTIALS if "partial_images" in fields else 0,
    }
