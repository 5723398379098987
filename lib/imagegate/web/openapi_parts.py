"""What the contract of every dialect is written with: bodies, headers, answers.

Loaded only when the OpenAPI document is made, not when a request is answered.
"""

from typing import Any

from pydantic import BaseModel

from imagegate.dialects import parsing
from imagegate.web import openapi_schemas as schemas

Responses = dict[int | str, dict[str, Any]]

ACCEPTED = {
    "model": schemas.OperationSchema,
    "description": "Written down and under way.",
    "headers": {
        name: {"schema": {"type": "string"}, "description": what}
        for name, what in {
            "Location": "The operation.",
            "Operation-Location": "The operation.",
            "Retry-After": "Seconds after which to ask for it.",
        }.items()
    },
}
REDIRECT = {"description": "It takes longer: wait on at Location.", "model": dict[str, Any]}


def problems(**described: str) -> Responses:
    """RFC 9457 answers: status (as `s404`) to what it means."""
    schema = {"$ref": f"#/components/schemas/{schemas.ProblemSchema.__name__}"}
    content = {"application/problem+json": {"schema": schema}}
    return {int(status[1:]): {"description": what, "content": content} for status, what in described.items()}


def openai_errors(**described: str) -> Responses:
    return {
        int(status[1:]): {"description": what, "model": schemas.OpenAIErrorSchema} for status, what in described.items()
    }


def wait_errors(**described: str) -> Responses:
    """Of the wait routes: in OpenAI's shape to whom its dialect has sent there, as problems to others."""
    own = problems(**described)
    return {status: {**answer, **own[status]} for status, answer in openai_errors(**described).items()}


def yandex_errors(**described: str) -> Responses:
    return {
        int(status[1:]): {"description": what, "model": schemas.YandexErrorSchema} for status, what in described.items()
    }


def body(model: type[BaseModel], **examples: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": {"schema": schema_of(model), "examples": named}}
    return {"requestBody": {"required": True, "content": content}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a body, complete in itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return dict(_inlined(schema, definitions))


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its definitions in place of the references to them."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


PREFER = header("Prefer", "`wait=N` holds the request up to N seconds; `respond-async` answers 202 (RFC 7240).")
OVERTAKEN = "Too many requests for the same thing at the same moment: send it again."
IDEMPOTENCY_KEY = header("Idempotency-Key", "The same key gives the same operation for at least 24 hours.")
IDEMPOTENCY_KEY["schema"] |= {"minLength": 1, "maxLength": 255}
DATA_LOGGING = header(parsing.DATA_LOGGING, "`false`: the words are not kept beyond the run.")
DATA_LOGGING["schema"] |= {"enum": ["true", "false"]}
NO_PICTURES = openai_errors(
    s424="The upstreams gave up; nothing will come.",
    s429="The upstreams are throttled; nothing was spent. Retry-After says when.",
    s503="Still being made, or nobody has capacity. Retry-After says when to repeat the request.",
    s504="Still being made, and this client follows no further redirect.",
)
