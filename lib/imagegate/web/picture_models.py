"""Which model makes the picture when a request names none, or the language model of its conversation."""

from imagegate.dialects.openai.requests import DEFAULT_MODEL
from imagegate.domain.access.api_key import Principal
from imagegate.web.services import Services


def default_model(services: Services, principal: Principal, pictures: int, masked: bool = False) -> str:
    """The usual model, or with pictures the first that works from so many, with or without a mask."""
    routes = services.routes
    names = routes.working_from(pictures, prompted=True, masked=masked) if pictures else [each.model for each in routes]
    usable = [name for name in names if principal.may_use(name)]
    return DEFAULT_MODEL if DEFAULT_MODEL in usable or not usable else usable[0]


def can_edit(services: Services, principal: Principal, model: str | None) -> bool:
    """True when the model works from a picture, or without one any that is available and that the caller may use."""
    able = services.routes.working_from(1, prompted=True)
    known = (services.routes.find(name) for name in ([model] if model else able))
    routes = [route for route in known if route and route.model in able and principal.may_use(route.model)]
    return bool(model and routes) or any(map(services.routes.is_available, routes))
