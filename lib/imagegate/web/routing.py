"""What the routes of every API share: their class, and the dependencies of their handlers."""

from functools import cached_property
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import Match
from starlette.types import Scope

from imagegate.dialects.dialect import Dialect
from imagegate.dialects.registry import dialect_at
from imagegate.domain.access.api_key import Principal
from imagegate.web.decoding import check_query
from imagegate.web.services import Services


class _Name(StringConvertor):
    """A segment of a path without the verb that a colon begins: `{id:name}` does not match `1:cancel`."""

    regex = "[^/:]+"


register_url_convertor("name", _Name())


class DialectRoute(APIRoute):
    """A route that matches no path of another API: `/v1/images/{image_id}` does not match `/v1/images/generations`."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path and its owner."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE and dialect_at(scope["path"]) is not self._dialect:
            return Match.NONE, {}
        return match, child_scope

    @cached_property
    def _dialect(self) -> Dialect:
        return dialect_at(self.path)


async def refuse_unknown_query(request: Request) -> None:
    """Raises InvalidRequest for a query parameter that the route does not have, as bodies are refused for a field."""
    check_query(request, [field.alias for field in request.scope["route"].dependant.query_params])


def create_router() -> APIRouter:
    """An empty router for the routes of one API."""
    return APIRouter(route_class=DialectRoute)


# Coroutines, because FastAPI runs plain functions in a thread.
async def services_of(request: Request) -> Services:
    """The use cases and ports of the application."""
    services: Services = request.app.state.services
    return services


async def principal_of(request: Request) -> Principal:
    """The caller, as web/access.py has found it."""
    principal: Principal = request.scope["state"]["principal"]
    return principal


ServicesDep = Annotated[Services, Depends(services_of)]
PrincipalDep = Annotated[Principal, Depends(principal_of)]
