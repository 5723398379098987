"""What the OpenAPI document says of OpenAI's Images API. A constant belongs to the routes of its name."""

from typing import Any

from pydantic import BaseModel

from imagegate.dialects.openai import requests as openai_requests
from imagegate.web import openapi_schemas as schemas
from imagegate.web.openapi_parts import (
    ACCEPTED,
    DATA_LOGGING,
    IDEMPOTENCY_KEY,
    NO_PICTURES,
    OVERTAKEN,
    PREFER,
    REDIRECT,
    body,
    openai_errors,
    schema_of,
)

_FIRST = {"model": "flux", "prompt": "a red fox in the snow"}
GENERATE: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "Generate pictures",
    "responses": {
        200: {
            "model": schemas.ImagesSchema,
            "description": "The pictures; with `stream`, as text/event-stream.",
            "content": {"text/event-stream": {}},
        },
        202: ACCEPTED,
        303: REDIRECT,
        **openai_errors(
            s400="The request has to be changed (`param` names the field), or an upstream refused it.",
            s404="The model does not exist.",
            s409=OVERTAKEN,
            s422="The Idempotency-Key came with another request before; or, at the long-hold address, the pictures are "
            "made but too large as base64 (`data` has their URLs).",
        ),
        **NO_PICTURES,
    },
    "openapi_extra": {
        "parameters": [PREFER, IDEMPOTENCY_KEY, DATA_LOGGING],
        **body(
            openai_requests.GenerationsBody,
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
    schema = schema_of(kind)
    needed = schema.get("required", [])
    form = {"type": "object", "properties": {**schema["properties"], **_FORM_FILES}, "required": ["image", *needed]}
    url = {"type": "object", "properties": {"image_url": {"type": "string"}}, "required": ["image_url"]}
    images = {"images": {"type": "array", "items": url, "minItems": 1, "maxItems": 16}, "mask": url}
    document = {"type": "object", "properties": {**schema["properties"], **images}, "required": ["images", *needed]}
    examples = {"simple": {"value": {**example, "images": [{"image_url": _PICTURE}]}}}
    content = {"multipart/form-data": {"schema": form}, "application/json": {"schema": document, "examples": examples}}
    return {
        "parameters": [PREFER, IDEMPOTENCY_KEY, DATA_LOGGING],
        "requestBody": {"required": True, "content": content},
    }


EDIT: dict[str, Any] = {
    **GENERATE,
    "summary": "Edit pictures",
    "openapi_extra": _pictures(openai_requests.EditsBody, model="gpt-image-2", prompt="make it winter"),
}
VARY: dict[str, Any] = {
    **GENERATE,
    "summary": "Vary a picture",
    "description": "Refused with 400 where no provider of the model does it without a prompt: then edit.",
    "openapi_extra": _pictures(openai_requests.VariationsBody, n=2),
}
MODELS: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "List the models",
    "responses": {200: {"model": schemas.ModelsSchema, "description": "The models."}},
}
MODEL: dict[str, Any] = {
    "tags": ["OpenAI Images"],
    "summary": "Describe a model",
    "responses": {
        200: {"model": schemas.ModelSchema, "description": "The model."},
        **openai_errors(s404="The model does not exist."),
    },
}
