"""A route: which providers serve a model, in which order."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.domain.errors import InvalidRequest, UnknownProvider
from imagegate.domain.request.capabilities import unsupported
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import ImageRequest

MEGAPIXEL = 1024 * 1024
"""Pixels, as upstreams count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One stop of a route: a provider and its own name for the model."""

    provider: str
    model: str
    limits: Limits
    price_usd: float | None = None
    """What the upstream charges for a picture, as far as is known; of the size asked for, once a route is resolved."""
    megapixel_usd: float = 0.0
    """What it charges for each megapixel that a picture begins after its first."""
    passed_over: tuple[str, ...] = ()
    """Why the providers before it cannot serve a request, in words for its caller."""

    @property
    def is_free(self) -> bool:
        """True when the upstream is known to charge nothing."""
        return self.price_usd == 0

    def priced_for(self, request: ImageRequest) -> "Target":
        """The target with the price of a picture of the size that it makes for the request."""
        if self.price_usd is None or not self.megapixel_usd:
            return self
        size = self.limits.size_for(request)
        further = math.ceil(size.width * size.height / MEGAPIXEL) - 1
        if further <= 0:
            return self
        return replace(self, price_usd=round(self.price_usd + further * self.megapixel_usd, 6))

    @property
    def micro_dollars(self) -> int | None:
        """The price in millionths of a dollar."""
        return None if self.price_usd is None else round(self.price_usd * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A model name and the providers that serve it, in the order they are tried."""

    model: str
    targets: Sequence[Target]
    aliases: tuple[str, ...] = ()
    description: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `ImageRequest`, and `size` as WxH, for requests that leave them out."""

    def for_name(self, name: str) -> "Route":
        """The route for a request of that name: a target's model `*` is the provider's own model of it."""
        targets = (replace(each, model=name.strip()) if each.model == "*" else each for each in self.targets)
        return replace(self, targets=tuple(targets))

    def narrowed(self, provider: str) -> "Route":
        """The route with only `provider` on it, for callers who insist.

        Raises UnknownProvider when that provider does not serve the model.
        """
        kept = tuple(target for target in self.targets if target.provider == provider)
        if not kept:
            known = ", ".join(target.provider for target in self.targets)
            raise UnknownProvider(
                f"Provider '{provider}' does not serve the model '{self.model}'.",
                param="provider",
                remedy=f"Leave provider out, or use one of: {known}.",
            )
        return replace(self, targets=kept)

    def without(self, provider: str) -> "Route":
        """The route with every other provider on it, perhaps none."""
        return replace(self, targets=tuple(target for target in self.targets if target.provider != provider))


def with_capable_targets(route: Route, request: ImageRequest) -> Route:
    """The route with only those providers that can honour the request. Raises InvalidRequest when none can."""
    problems = [(target, unsupported(request, target.limits)) for target in route.targets]
    if capable := tuple(target.priced_for(request) for target in _with_reasons(problems)):
        return replace(route, targets=capable)
    _, found = min(problems, key=lambda entry: len(entry[1]))
    if found[0] == "prompt":
        raise _too_long(route, request)
    able = f"can honour '{found[0]}' as it is"
    if found[0] == "image":
        kind = "work" if request.prompt.strip() else "make anything without a prompt"
        able = f"can {kind} from {_pictures(len(request.inputs))}"
    raise InvalidRequest(
        f"No provider of the model '{route.model}' {able}.",
        param=found[0],
        remedy=_remedy(found[0], route),
    )


def _too_long(route: Route, request: ImageRequest) -> InvalidRequest:
    """The refusal of a prompt that is longer than every provider of the route takes."""
    longest = max((target.limits for target in route.targets), key=lambda limits: limits.prompt_characters)
    length, most = longest.prompt_length(request), longest.prompt_characters
    message = f"The prompt has {length} characters; the model '{route.model}' takes at most {most}."
    return InvalidRequest(
        message, param="prompt", remedy="Shorten the prompt, or ask for a model that takes longer ones."
    )


def _remedy(field: str, route: Route) -> str:
    """What to do about a field that no provider of the route can honour as it is."""
    if field == "mask":
        return "Leave it out."
    most = max(target.limits.steps_maximum or 0 for target in route.targets)
    if field == "steps" and most:
        return f"Ask for at most {most}, or for another model."
    return "Leave it out, or ask for another model."


def _with_reasons(problems: Sequence[tuple[Target, list[str]]]) -> Iterator[Target]:
    """The targets without a problem, each with why those before it were passed over."""
    passed_over: tuple[str, ...] = ()
    for target, found in problems:
        if found:
            passed_over = (*passed_over, f"{target.provider} cannot honour {_listed(found)}")
        else:
            yield replace(target, passed_over=passed_over) if passed_over else target


def _listed(fields: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in fields)


def _pictures(count: int) -> str:
    return "a picture" if count == 1 else f"{count} pictures"
