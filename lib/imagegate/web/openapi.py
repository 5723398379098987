"""The OpenAPI document: FastAPI's, with what each API documents of its routes."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from imagegate.dialects.parsing import ONE_LINE
from imagegate.web import openapi_access
from imagegate.web.apis import documented_routes
from imagegate.web.openapi_parts import Documented

_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def build_document(app: FastAPI) -> dict[str, Any]:
    """Make the document of `app`."""
    documented = {name: (tag, each) for tag, routes in documented_routes() for name, each in routes.items()}
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=_with_documentation(routes, documented).routes,
    )
    made |= {"security": openapi_access.SECURITY}
    made["components"]["securitySchemes"] = openapi_access.SCHEMES
    schemas = made["components"]["schemas"]
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schemas |= _components(each for _, each in documented.values())
    for route in routes:
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], documented[route.name][1])
    return made


def _with_documentation(routes: Iterable[APIRoute], documented: Mapping[str, tuple[str, Documented]]) -> APIRouter:
    """The routes, with their documentation."""
    router = APIRouter()
    for route in routes:
        tag, each = documented[route.name]
        extra: dict[str, Any] = {"parameters": list(each.parameters)} if each.parameters else {}
        if each.body:
            extra["requestBody"] = {"required": each.body.required, "content": each.body.content}
        if each.accepts_links:
            extra["security"] = openapi_access.SECURITY_WITH_LINKS
        router.add_api_route(
            route.path,
            route.endpoint,
            methods=sorted(route.methods or ()),
            status_code=route.status_code,
            tags=[tag],
            summary=each.summary,
            responses=openapi_access.with_access(each),
            openapi_extra=extra,
        )
    return router


def _components(documented: Iterable[Documented]) -> dict[str, Any]:
    """The schemas of request bodies and errors, which FastAPI's routes do not declare."""
    requests, errors = dict[type[BaseModel], None](), dict[type[BaseModel], None]()
    for each in documented:
        requests |= {each.body.model: None} if each.body else {}
        errors |= {shape.schema: None for shape in each.errors.shapes}
    modes = [(model, "validation") for model in requests] + [(model, "serialization") for model in errors]
    _, schemas = models_json_schema(modes, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return dict(jsonable_encoder(schemas["$defs"], exclude_none=True))


def _complete(route: dict[str, Any], documented: Documented) -> None:
    """Add what FastAPI cannot know. It comes last, because FastAPI leaves out nulls, as those of examples."""
    route.pop("description", None)  # FastAPI's is the handler's docstring
    if documented.description:
        route["description"] = documented.description
    if "HTTPValidationError" in str(route["responses"].get("422")):
        del route["responses"]["422"]
    _bound_parameters(route.get("parameters", ()))
    for status, answer in route["responses"].items():
        _add_examples(int(status), answer.get("content", {}), documented)


def _add_examples(status: int, content: dict[str, Any], documented: Documented) -> None:
    """Give an example to each JSON body of an answer."""
    if status >= 400:
        for shape in documented.errors.shapes:
            if shape.media_type in content:
                content[shape.media_type]["example"] = shape.example(status, documented.refusals)
    elif status in documented.examples_by_dialect:
        named = documented.examples_by_dialect[status]
        content["application/json"]["examples"] = {dialect: {"value": body} for dialect, body in named.items()}
    elif status in documented.examples:
        content["application/json"]["example"] = documented.examples[status]


def _bound_parameters(parameters: Iterable[dict[str, Any]]) -> None:
    """Add the pattern of allowed characters to every text in the path, the query and the headers."""
    for parameter in parameters:
        for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
            if schema.get("type") == "string" and not schema.keys() & {"enum", "format", "pattern"}:
                schema["pattern"] = ONE_LINE["pattern"]
