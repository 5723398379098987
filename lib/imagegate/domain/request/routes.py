"""The routes of a deployment, and which of them serves a request."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from imagegate.domain.errors import InvalidRequest, ModelNotAvailable, RequestError, UnknownModel
from imagegate.domain.request.capabilities import DEMANDS, unsupported
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.names import prefixes, spellings, upstream_name, without_variant
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Route, Target, with_capable_targets

MissingSecrets = Callable[[Target], Sequence[str]]
"""The names of the credentials of which one has to be set before a target can be asked; none if it can."""


class Routes:
    """Every route, found by model name or alias."""

    def __init__(self, routes: Iterable[Route], version: str | None = None) -> None:
        """`version`: which of the deployment's tables it is; `None` for one that has no others.

        Every target counts as available until `knowing` says otherwise.
        """
        self.version = version
        self._routes = tuple(routes)
        self.missing_secrets: MissingSecrets = _nothing_missing
        # An exact name comes before another spelling, a model's own name before an alias, and an earlier route's alias
        # before a later one's.
        names = [(alias, route) for route in reversed(self._routes) for alias in route.aliases]
        names += [(route.model, route) for route in self._routes]
        spelled = {spelling: route for name, route in names for spelling in spellings(name)[1:]}
        self._by_name = spelled | dict(names)
        self._covering = [(route, _covered_starts(route)) for route in self._routes]

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def knowing(self, missing: MissingSecrets) -> Self:
        """The same routes, which know what their targets lack."""
        known = copy.copy(self)
        known.missing_secrets = missing
        return known

    def is_available(self, route: Route) -> bool:
        """True when one of the model's providers can be asked."""
        return any(not self.missing_secrets(target) for target in route.targets)

    def accept(self, request: ImageRequest) -> ImageRequest:
        """The request as it is stored: it names this table, and has the defaults of the model that it asks for."""
        if request.routes is not None:
            return request
        route = self.find(request.model)
        return replace(with_defaults(request, route.defaults if route else {}), routes=self.version)

    def find(self, name: str) -> Route | None:
        """The route of that name or alias, however it is spelled (domain/request/names.py).

        A name of its own comes before an alias with a `*` that covers it, and what is available before what is not.
        """
        _, candidates = self._spelled(name)
        if len(candidates) < 2:
            return next(iter(candidates), None)
        return next(filter(self.is_available, candidates), candidates[0])

    def working_from(self, pictures: int, *, prompted: bool, masked: bool = False) -> list[str]:
        """The models that accept so many input pictures, with a prompt or without, with a mask or without.

        If any of them are available, only those.
        """
        able = [route for route in self._routes if any(_works_from(route, pictures, prompted, masked))]
        available = [
            route.model
            for route in able
            if any(not self.missing_secrets(target) for target in _works_from(route, pictures, prompted, masked))
        ]
        return available or [route.model for route in able]

    def resolve(self, request: ImageRequest, model: str = "") -> Route:
        """The route for a new `request`, with the providers that can honour it.

        Of several routes that its name can stand for it is that of `model`, or else the first that is available and
        can; a refusal is the first one's. Raises UnknownModel and UnknownProvider, which list the known ones,
        ModelNotAvailable when no provider can be asked, and InvalidRequest when none of them can honour the request.
        """
        name, candidates = self._spelled(request.model)
        if not candidates:
            known = ", ".join(route.model for route in self._routes)
            raise UnknownModel(
                f"The model '{request.model}' does not exist here.",
                param="model",
                remedy=f"Use one of: {known}.",
            )
        refusal: RequestError | None = None
        for route in [route for route in candidates if route.model == model] or candidates:
            try:
                narrowed = route.narrowed(request.provider) if request.provider else route
                self._require_available(narrowed, request)
                return with_capable_targets(narrowed.for_name(upstream_name(request.model, name)), request)
            except RequestError as error:
                refusal = refusal or error
                if route is self._named(name) and not isinstance(error, ModelNotAvailable):
                    break  # a model that is here by that name decides itself
        assert refusal
        if refusal.param in ("image", "mask") and not isinstance(refusal, ModelNotAvailable):
            refusal.remedy = self._where_to_with_pictures(request)
        elif refusal.param in ("background", *DEMANDS) and (able := self._able(request)):
            refusal.remedy = f"Leave it out, or use one of: {', '.join(able)}."
        raise refusal

    def _able(self, request: ImageRequest) -> list[str]:
        """The models that can honour the whole request; if any are available, only those."""
        able = [(route, target) for route in self._routes for target in route.targets]
        able = [(route, target) for route, target in able if not unsupported(request, target.limits)]
        available = [route.model for route, target in able if not self.missing_secrets(target)]
        return list(dict.fromkeys(available or [route.model for route, _ in able]))

    def route_of(self, request: ImageRequest, model: str) -> Route:
        """The route of an operation that began as `model`, whatever is available by now. Raises as `resolve` does."""
        return self.knowing(_nothing_missing).resolve(request, model)

    def _spelled(self, name: str) -> tuple[str, list[Route]]:
        """The spelling that is known, and the route of that name, then those with an alias that covers it, in order."""
        for spelled in spellings(name):
            exact = self._named(spelled)
            named = [exact] if exact else []
            covering = [route for route, starts in self._covering if spelled.startswith(starts)]
            if found := [*named, *(route for route in covering if route not in named)]:
                return spelled, found
        return name, []

    def _named(self, spelled: str) -> Route | None:
        return self._by_name.get(spelled) or self._by_name.get(without_variant(spelled))

    def _require_available(self, route: Route, request: ImageRequest) -> None:
        """Raises ModelNotAvailable or InvalidRequest when no provider that can be asked can honour the request."""
        missing = [(target, self.missing_secrets(target)) for target in route.targets]
        available = tuple(target for target, names in missing if not names)
        if len(available) == len(missing):
            return
        if not available:
            raise ModelNotAvailable(
                f"The model '{request.model}' is not available here.",
                param="model",
                remedy=f"{self._available_models(request)} {_how_to_enable(names for _, names in missing)}",
            )
        try:
            with_capable_targets(replace(route, targets=available), request)
        except InvalidRequest as error:
            able = {target.provider for target in with_capable_targets(route, request).targets}
            hint = _how_to_enable(names for target, names in missing if target.provider in able)
            error.message += f" Providers that can are not available here. {hint}"
            raise

    def _available_models(self, request: ImageRequest) -> str:
        if request.inputs:
            models = self._working_from(request)
            models = [model for model in models if self.is_available(self._by_name[model])]
        else:
            models = [route.model for route in self._routes if self.is_available(route)]
        return f"Use one of: {', '.join(models)}." if models else "No model that can do it is."

    def _working_from(self, request: ImageRequest) -> list[str]:
        prompted, masked = bool(request.prompt.strip()), request.mask is not None
        return self.working_from(len(request.inputs), prompted=prompted, masked=masked)

    def _where_to_with_pictures(self, request: ImageRequest) -> str:
        if able := self._working_from(request):
            return f"Use one of: {', '.join(able)}."
        prompted = bool(request.prompt.strip())
        editing = [] if prompted else self.working_from(len(request.inputs), prompted=True)
        if editing:
            return f"Say in a prompt what to do to it (POST /v1/images/edits), with one of: {', '.join(editing)}."
        return "No model here does."


def with_defaults(request: ImageRequest, defaults: Mapping[str, Any]) -> ImageRequest:
    """The request with those fields of `defaults` that it leaves out; a ratio counts as a size."""
    absent = {name: value for name, value in defaults.items() if name != "size" and not getattr(request, name)}
    if "size" in defaults and not (request.size or request.ratio):
        width, _, height = defaults["size"].partition("x")
        absent["size"] = Size(int(width), int(height))
    return replace(request, **absent)


def _works_from(route: Route, pictures: int, prompted: bool, masked: bool) -> list[Target]:
    able = [target for target in route.targets if target.limits.works_from(pictures, prompted=prompted)]
    return [target for target in able if target.limits.supports_masks or not masked]


def _nothing_missing(target: Target) -> Sequence[str]:
    return ()


def _how_to_enable(missing: Iterable[Sequence[str]]) -> str:
    names = [*dict.fromkeys(name for names in missing for name in names)]
    command = f"`imagegate secrets set {names[0]}`"
    others = f", or with {' or '.join(names[1:])}" if names[1:] else ""
    return f"An operator can make it available: {command}{others} (`imagegate models` tells what is missing)."


def _covered_starts(route: Route) -> tuple[str, ...]:
    """How the names begin that the route's aliases with a `*` cover."""
    return tuple(start for alias in route.aliases if alias.endswith("*") for start in prefixes(alias[:-1]))
