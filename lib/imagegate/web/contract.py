"""What the OpenAPI document says of each route: summaries, bodies, examples, every error answer.

Loaded only when the document is made, not when a request is answered. A constant belongs to the routes of its name.
"""

from typing import Any

from pydantic import BaseModel

from imagegate.dialects import openai_request, operations, yandexart
from imagegate.web import schemas

Responses = dict[int | str, dict[str, Any]]

_OPERATION = {"model": schemas.OperationShape, "description": "The operation."}
_ACCEPTED = {
    "model": schemas.OperationShape,
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
_REDIRECT = {"description": "It takes longer: wait on at Location.", "model": dict[str, Any]}


def problems(**described: str) -> Responses:
    """RFC 9457 answers: status (as `s404`) to what it means."""
    schema = {"$ref": f"#/components/schemas/{schemas.ProblemShape.__name__}"}
    content = {"application/problem+json": {"schema": schema}}
    return {int(status[1:]): {"description": what, "content": content} for status, what in described.items()}


def openai_errors(**described: str) -> Responses:
    return {
        int(status[1:]): {"description": what, "model": schemas.OpenAIErrorShape} for status, what in described.items()
    }


def yandex_errors(**described: str) -> Responses:
    return {
        int(status[1:]): {"description": what, "model": schemas.YandexErrorShape} for status, what in described.items()
    }


def _body(model: type[BaseModel], **examples: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in examples.items()}
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    content = {"application/json": {"schema": _inlined(schema, definitions), "examples": named}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its definitions in place of the references to them."""
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


_PREFER = _header("Prefer", "`wait=N` holds the request up to N seconds; `respond-async` answers 202 (RFC 7240).")
_IDEMPOTENCY_KEY = _header("Idempotency-Key", "The same key gives the same operation for at least 24 hours.")
_IDEMPOTENCY_KEY["schema"] |= {"minLength": 1, "maxLength": 255}
_NO_PICTURES = openai_errors(
    s424="The upstreams gave up; nothing will come.",
    s429="The upstreams are throttled; nothing was spent. Retry-After says when.",
    s503="Still being made, or nobody has capacity. Retry-After says when to repeat the request.",
    s504="Still being made, and this client follows no further redirect.",
)
_WAIT_ANSWERS: Responses = {
    200: {"description": "The answer in the dialect that started the operation.", "model": dict[str, Any]},
    202: _ACCEPTED,
    303: _REDIRECT,
    **openai_errors(
        s400="The request was refused, here or upstream.",
        s404="No such operation.",
        s410="Its retention has ended.",
    ),
    **_NO_PICTURES,
}

CREATE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Start an operation",
    "responses": {
        200: {
            "model": schemas.OperationShape | schemas.EstimateShape,
            "description": "It ended within `Prefer: wait`, or (`validate_only`) what it would do.",
        },
        202: _ACCEPTED,
        **problems(
            s400="The request has to be changed; `param` names the field.",
            s404="The model does not exist.",
            s422="The Idempotency-Key came with another request before.",
        ),
    },
    "openapi_extra": {
        "parameters": [_PREFER, _IDEMPOTENCY_KEY],
        **_body(
            operations.CreateBody,
            simple={"model": "flux", "prompt": "a red fox in the snow"},
            all_fields={
                "model": "flux",
                "prompt": "a red fox in the snow",
                "n": 2,
                "size": {"width": 1024, "height": 768},
                "seed": 7,
                "output_format": "png",
                "deadline": 600,
                "metadata": {"order": "4711"},
            },
            estimate={"model": "flux", "prompt": "a red fox", "validate_only": True},
        ),
    },
}
LIST: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "List operations, newest first",
    "responses": {
        200: {"model": schemas.ListShape, "description": "A part of the list."},
        **problems(s400="A parameter has to be changed."),
    },
}
GET: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Show an operation",
    "responses": {
        200: _OPERATION,
        304: {"description": "It is as `If-None-Match` has it."},
        **problems(s404="No such operation.", s410="Its retention has ended."),
    },
    "openapi_extra": {"parameters": [_header("If-None-Match", "The ETag of an earlier answer.")]},
}
WAIT: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Wait for an operation",
    "description": "Held until it ends, at most 27 s; then 303 to the next hop. Answers in the dialect that started it",
    "responses": _WAIT_ANSWERS,
}
WAIT_BY_POST: dict[str, Any] = {**WAIT, "summary": "Wait for an operation (for clients that repeat POST)"}
CANCEL: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Cancel an operation",
    "description": "`started_at` tells whether it had begun, `may_have_cost` whether an upstream may charge.",
    "responses": {
        200: _OPERATION,
        **problems(s404="No such operation.", s409="It has ended.", s410="Its retention has ended."),
    },
}
RETRY: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Try a failed or cancelled operation again",
    "description": "New attempts under the same id; pictures that are there are kept.",
    "responses": {
        202: _ACCEPTED,
        **problems(s404="No such operation.", s409="It runs, or has succeeded.", s410="Its retention has ended."),
    },
}
DELETE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Delete an operation and its pictures",
    "responses": {
        204: {"description": "Gone."},
        **problems(s404="No such operation.", s409="It is still running.", s410="Its retention has ended."),
    },
}
IMAGE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Fetch a picture",
    "responses": {
        302: {"description": "The picture is at Location, for a limited time."},
        **problems(s404="No such picture.", s405="This is a path of OpenAI's dialect.", s410="No longer kept."),
    },
}

_FIRST = {"model": "flux", "prompt": "a red fox in the snow"}
GENERATE: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "Generate pictures",
    "responses": {
        200: {
            "model": schemas.ImagesShape,
            "description": "The pictures; with `stream`, as text/event-stream.",
            "content": {"text/event-stream": {}},
        },
        202: _ACCEPTED,
        303: _REDIRECT,
        **openai_errors(
            s400="The request has to be changed (`param` names the field), or an upstream refused it.",
            s404="The model does not exist.",
        ),
        **_NO_PICTURES,
    },
    "openapi_extra": {
        "parameters": [_PREFER],
        **_body(
            openai_request.GenerationsBody,
            simple=_FIRST,
            bytes={**_FIRST, "response_format": "b64_json", "size": "1024x768", "n": 2},
            g4f={**_FIRST, "width": 768, "height": 768, "num_inference_steps": 4, "seed": 7, "response_format": None},
        ),
    },
}
_PICTURE = "data:image/png;base64,iVBORw0KGgo="
_FORM_FILES = {
    "image": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1, "maxItems": 16},
    "mask": {"type": "string", "format": "binary"},
}


def _pictures(kind: type[BaseModel], **example: Any) -> dict[str, Any]:
    """Bodies with pictures: a form with files, or JSON with data URLs."""
    schema = kind.model_json_schema()
    needed = schema.get("required", [])
    form = {"type": "object", "properties": {**schema["properties"], **_FORM_FILES}, "required": ["image", *needed]}
    url = {"type": "object", "properties": {"image_url": {"type": "string"}}, "required": ["image_url"]}
    images = {"images": {"type": "array", "items": url, "minItems": 1, "maxItems": 16}, "mask": url}
    document = {"type": "object", "properties": {**schema["properties"], **images}, "required": ["images", *needed]}
    shown = {"simple": {"value": {**example, "images": [{"image_url": _PICTURE}]}}}
    content = {"multipart/form-data": {"schema": form}, "application/json": {"schema": document, "examples": shown}}
    return {"parameters": [_PREFER], "requestBody": {"required": True, "content": content}}


EDIT: dict[str, Any] = {
    **GENERATE,
    "summary": "Edit pictures",
    "openapi_extra": _pictures(openai_request.EditsBody, model="gpt-image-2", prompt="make it winter"),
}
VARY: dict[str, Any] = {
    **GENERATE,
    "summary": "Vary a picture",
    "openapi_extra": _pictures(openai_request.VariationsBody, model="gpt-image-2"),
}
MODELS: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "List the models",
    "responses": {200: {"model": schemas.ModelsShape, "description": "The models."}},
}
MODEL: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "Describe a model",
    "responses": {
        200: {"model": schemas.ModelShape, "description": "The model."},
        **openai_errors(s404="The model does not exist."),
    },
}

_YANDEX = {"model": schemas.YandexOperationShape, "description": "The operation."}
YANDEX_GENERATE: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Start a generation",
    "responses": {200: _YANDEX, **yandex_errors(s400="The request has to be changed.")},
    "openapi_extra": _body(
        yandexart.GenerationBody,
        documented={
            "modelUri": "art://<folder>/yandex-art/latest",
            "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}},
            "messages": [{"weight": "1", "text": "a pattern of pastel succulents"}],
        },
    ),
}
YANDEX_GET: dict[str, Any] = {
    "tags": ["YandexART"],
    "summary": "Ask for the result",
    "responses": {
        200: _YANDEX,
        303: {"description": "Too large for one answer: it is at Location.", "model": dict[str, Any]},
        **yandex_errors(s404="No such operation."),
    },
}
