"""The OpenAPI document: FastAPI's, with what the contract says of each route."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from imagegate.dialects.parsing import ONE_LINE
from imagegate.web import openapi_access, openapi_examples
from imagegate.web.openai import openapi as openai_openapi
from imagegate.web.openapi_schemas import ProblemShape
from imagegate.web.operations import openapi as operations_openapi
from imagegate.web.yandexart import openapi as yandexart_openapi

_WORDS = {**vars(operations_openapi), **vars(openai_openapi), **vars(yandexart_openapi)}
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI) -> dict[str, Any]:
    """Make the document of `app`."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=_described(app).routes)
    made |= {"security": openapi_access.SECURITY}
    made["components"]["securitySchemes"] = openapi_access.SCHEMES
    schemas = made["components"]["schemas"]
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas[ProblemShape.__name__] = ProblemShape.model_json_schema(mode="serialization")
    for path in made["paths"].values():
        for route in path.values():
            _without_fastapis_errors(route["responses"])
            _bound_parameters(route.get("parameters", ()))
    for described in app.routes:
        if isinstance(described, APIRoute):
            for method in described.methods or ():
                _exemplify(described.name, made["paths"][described.path_format][method.lower()])
    return made


def _described(app: FastAPI) -> APIRouter:
    """The routes of `app` again, each with its part of the contract."""
    described = APIRouter()
    for route in app.routes:
        if isinstance(route, APIRoute):
            words = openapi_access.added(route.name, _WORDS[route.name.upper()])
            methods, status = sorted(route.methods or ()), route.status_code
            described.add_api_route(route.path, route.endpoint, methods=methods, status_code=status, **words)
    return described


def _exemplify(name: str, said: dict[str, Any]) -> None:
    """Give each answer of the route `name` that has a body an example. Afterwards: FastAPI leaves out nulls."""
    waits = name.startswith("wait")
    for status, answer in said["responses"].items():
        by_dialect = openapi_examples.WAITED.get(int(status)) if waits else None
        for media, content in answer.get("content", {}).items():
            dialect = "OpenAI Images" if waits and "problem" not in media else said["tags"][0]
            body = openapi_examples.example(name, dialect, int(status))
            if "json" in media and body is not None:
                content["example"] = body
            elif "json" in media and by_dialect:
                content["examples"] = {dialect: {"value": one} for dialect, one in by_dialect.items()}


def _bound_parameters(parameters: Iterable[dict[str, Any]]) -> None:
    """Say of every text in the path, the query and the headers which characters it may hold."""
    for parameter in parameters:
        for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
            if schema.get("type") == "string" and not schema.keys() & {"enum", "format", "pattern"}:
                schema["pattern"] = ONE_LINE["pattern"]


def _without_fastapis_errors(responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
