"""What the OpenAPI document says of OpenAI's Images API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from imagegate.dialects.openai import models as openai_models
from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.dialects.response import RenderedPicture
from imagegate.domain.failure import Failure, FailureCode
from imagegate.providers import registry
from imagegate.web import openapi_samples as samples
from imagegate.web.openai import schemas
from imagegate.web.openapi_parts import (
    DATA_LOGGING,
    IDEMPOTENCY_KEY,
    OVERTAKEN,
    PREFER,
    REDIRECT,
    Documented,
    ErrorAnswers,
    ErrorFormat,
    RequestBody,
    json_body,
    reference_to,
)
from imagegate.web.operation_schemas import ACCEPTED

_THROTTLED = Failure(FailureCode.RATE_LIMITED, "voodoohop is throttled.")
_FAILED = Failure(FailureCode.UPSTREAM_FAILED, "voodoohop failed without saying why.")
ERROR = ErrorFormat(
    dialect=OPENAI_IMAGES,
    schema=schemas.OpenAIErrorSchema,
    failures={
        424: openai_responses.render_failure(_FAILED, samples.DONE).body,
        429: openai_responses.render_failure(_THROTTLED, samples.DONE).body,
        503: openai_responses.render_pending(samples.QUEUED, repeats=True, retry_after=30).body,
        504: openai_responses.render_pending(samples.QUEUED, repeats=False, retry_after=30).body,
    },
)
_ERRORS = ErrorAnswers((ERROR,))
NO_PICTURES = _ERRORS(
    s424="The upstreams failed; there will be no pictures.",
    s429="The upstreams are throttled, and nothing was spent. Retry-After says when to repeat the request.",
    s503="The pictures are still being made, or no upstream has capacity. Retry-After says when to repeat the request.",
    s504="The pictures are still being made, and this client follows no further redirect.",
)
"""Answers to a wait that ends without pictures."""
PICTURES: Mapping[int, Any] = {
    200: openai_responses.render_success(samples.DONE, [RenderedPicture(samples.PICTURE, url=samples.URL)]).body,
    202: samples.native(samples.QUEUED),
    303: openai_responses.render_redirect(samples.QUEUED, "").body,
}
_PARAMETERS = (PREFER, IDEMPOTENCY_KEY, DATA_LOGGING)
_FIRST = {"model": "flux", "prompt": "a red fox in the snow"}


def document_start(
    errors: ErrorAnswers,
    *,
    summary: str,
    schema: type[BaseModel],
    description: str,
    examples: Mapping[int, Any],
    body: RequestBody,
) -> Documented:
    """A route of one of OpenAI's APIs that starts a generation and waits; `schema`, `description`: of its answer."""
    return Documented(
        summary=summary,
        responses={
            200: {"model": schema, "description": description, "content": {"text/event-stream": {}}},
            202: ACCEPTED,
            303: REDIRECT,
            **errors(
                s400="The request must be changed (`param` names the field), or an upstream refused it.",
                s404="The model does not exist.",
                s409=OVERTAKEN,
                s422="The Idempotency-Key was used with another request; or, at the long-hold address, the pictures "
                "are too large as base64 (`data` has their URLs).",
            ),
            **NO_PICTURES,
        },
        errors=errors,
        examples=examples,
        refusals=samples.START_REFUSALS,
        parameters=_PARAMETERS,
        requires_model=True,
        body=body,
    )


_GENERATE = document_start(
    _ERRORS,
    summary="Generate pictures",
    schema=schemas.ImagesSchema,
    description="The pictures; with `stream`, as text/event-stream.",
    examples=PICTURES,
    body=json_body(
        openai_requests.GenerationsBody,
        simple=_FIRST,
        bytes={**_FIRST, "response_format": "b64_json", "size": "1024x768", "n": 2},
        g4f={**_FIRST, "width": 768, "height": 768, "num_inference_steps": 4, "seed": 7, "response_format": None},
    ),
)
_PROVIDER = {"name": "provider", "in": "path", "required": True, "schema": {"type": "string", "title": "Provider"}}
_PICTURE = "data:image/png;base64,iVBORw0KGgo="
_FILE = {"type": "string", "format": "binary"}
_DATA_URL = {"type": "object", "properties": {"image_url": {"type": "string"}}, "required": ["image_url"]}


def _body_with_pictures(model: type[BaseModel], /, **example: Any) -> RequestBody:
    """A form with files, or JSON with data URLs or addresses, beside the fields of `model` (docs/requests.md)."""

    def extend(name: str, picture: dict[str, Any]) -> dict[str, Any]:
        pictures = {"type": "array", "items": picture, "minItems": 1, "maxItems": 16}
        properties = {name: pictures, "mask": picture}
        return {"allOf": [reference_to(model)], "type": "object", "properties": properties, "required": [name]}

    examples = {"simple": {"value": {**example, "images": [{"image_url": _PICTURE}]}}}
    content = {
        "multipart/form-data": {"schema": extend("image", _FILE)},
        "application/json": {"schema": extend("images", _DATA_URL), "examples": examples},
    }
    return RequestBody(model=model, content=content)


_MODEL = openai_models.render_model(
    next(route for route in registry.routes() if route.model == "flux"),
    lambda target: {"available": True, "missing_secrets": [], "expected_seconds": 4.0, "slow_seconds": 9.0},
)
DOCUMENTED = {
    "generate": _GENERATE,
    "generate_by_provider": replace(_GENERATE, parameters=(_PROVIDER, *_PARAMETERS)),
    "edit": replace(
        _GENERATE,
        summary="Edit pictures",
        body=_body_with_pictures(openai_requests.EditsBody, model="gpt-image-2", prompt="make it winter"),
    ),
    "vary": replace(
        _GENERATE,
        summary="Vary a picture",
        description="Refused with 400 where no provider of the model works without a prompt; then use edits.",
        body=_body_with_pictures(openai_requests.VariationsBody, n=2),
    ),
    "models": Documented(
        summary="List the models",
        responses={200: {"model": schemas.ModelsSchema, "description": "The models."}},
        errors=_ERRORS,
        examples={200: {"object": "list", "data": [_MODEL]}},
    ),
    "model": Documented(
        summary="Describe a model",
        responses={
            200: {"model": schemas.ModelSchema, "description": "The model."},
            **_ERRORS(s404="The model does not exist."),
        },
        errors=_ERRORS,
        examples={200: _MODEL},
        refusals=samples.UNKNOWN_MODEL,
        requires_model=True,
    ),
}
