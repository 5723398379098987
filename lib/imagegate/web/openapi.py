"""The OpenAPI document: FastAPI's, with what the contract says of each route."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from imagegate.dialects.parsing import ONE_LINE
from imagegate.web import openapi_access, openapi_examples
from imagegate.web.openai import openapi as openai_openapi
from imagegate.web.openapi_schemas import ProblemSchema
from imagegate.web.operations import openapi as operations_openapi
from imagegate.web.yandexart import openapi as yandexart_openapi

_DOCUMENTED = {**vars(operations_openapi), **vars(openai_openapi), **vars(yandexart_openapi)}
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def build_document(app: FastAPI) -> dict[str, Any]:
    """Make the document of `app`."""
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=_documented_routes(app).routes
    )
    made |= {"security": openapi_access.SECURITY}
    made["components"]["securitySchemes"] = openapi_access.SCHEMES
    schemas = made["components"]["schemas"]
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas[ProblemSchema.__name__] = ProblemSchema.model_json_schema(mode="serialization")
    for path in made["paths"].values():
        for route in path.values():
            _without_fastapis_errors(route["responses"])
            _bound_parameters(route.get("parameters", ()))
    for described in app.routes:
        if isinstance(described, APIRoute):
            for method in described.methods or ():
                _exemplify(described.name, made["paths"][described.path_format][method.lower()])
    return made


def _documented_routes(app: FastAPI) -> APIRouter:
    """The routes of `app` again, each with its part of the contract."""
    described = APIRouter()
    for route in app.routes:
        if isinstance(route, APIRoute):
            documented = openapi_access.with_access(route.name, _DOCUMENTED[route.name.upper()])
            methods, status = sorted(route.methods or ()), route.status_code
            described.add_api_route(route.path, route.endpoint, methods=methods, status_code=status, **documented)
    return described


def _exemplify(name: str, documented: dict[str, Any]) -> None:
    """Give each answer of the route `name` that has a body an example. Afterwards: FastAPI leaves out nulls."""
    waits = name.startswith("wait")
    for status, answer in documented["responses"].items():
        by_dialect = openapi_examples.WAIT_EXAMPLES.get(int(status)) if waits else None
        for media, content in answer.get("content", {}).items():
            dialect = "OpenAI Images" if waits and "problem" not in media else documented["tags"][0]
            body = openapi_examples.example(name, dialect, int(status))
            if "json" in media and body is not None:
                content["example"] = body
            elif "json" in media and by_dialect:
                content["examples"] = {dialect: {"value": body} for dialect, body in by_dialect.items()}


def _bound_parameters(parameters: Iterable[dict[str, Any]]) -> None:
    """Say of every text in the path, the query and the headers which characters it may hold."""
    for parameter in parameters:
        for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
            if schema.get("type") == "string" and not schema.keys() & {"enum", "format", "pattern"}:
                schema["pattern"] = ONE_LINE["pattern"]


def _without_fastapis_errors(responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
