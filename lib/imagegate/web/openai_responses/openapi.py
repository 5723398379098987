"""What the OpenAPI document says of OpenAI's Responses API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagegate.dialects.openai_responses import responses
from imagegate.dialects.openai_responses.bodies import ResponsesBody
from imagegate.dialects.openai_responses.dialect import OPENAI_RESPONSES
from imagegate.domain.errors import RequestError, UnknownOperation
from imagegate.web import openapi_samples as samples
from imagegate.web.openai.openapi import ERROR, document_start
from imagegate.web.openai_responses import schemas
from imagegate.web.openapi_context import SampleContext
from imagegate.web.openapi_parts import OVERTAKEN, TOO_LARGE, Documented, ErrorAnswers, json_body

_ERRORS = ErrorAnswers((replace(ERROR, dialect=OPENAI_RESPONSES),))
_DONE = replace(samples.DONE, dialect=OPENAI_RESPONSES.name)
_QUEUED = replace(samples.QUEUED, dialect=OPENAI_RESPONSES.name, reply={"background": "true"})
_CANCELLED = replace(samples.CANCELLED, dialect=OPENAI_RESPONSES.name, reply={"background": "true"})
_ANSWERS: Mapping[int, Any] = {
    200: responses.build_response(_DONE, SampleContext()),
    202: samples.native(samples.QUEUED),
    303: OPENAI_RESPONSES.render_redirect(_QUEUED, "").body,
}
_UNKNOWN: Mapping[int, RequestError] = {
    404: UnknownOperation("Response 'resp_06gzj55vfn0ajhf9kn2m' does not exist.", remedy="Check the id.")
}
_PROMPT = {"model": "flux", "input": "a red fox in the snow"}
_TOOL = {"type": "image_generation", "size": "1024x1024", "output_format": "webp"}
DOCUMENTED = {
    "respond": document_start(
        _ERRORS,
        summary="Make a picture",
        schema=schemas.ResponseSchema,
        description="The response with its picture; with `stream`, its events as text/event-stream; with `background`, "
        "the response as it stands.",
        examples=_ANSWERS,
        body=json_body(
            ResponsesBody,
            simple=_PROMPT,
            tool={"model": "gpt-5.5", "input": "a red fox in the snow", "tools": [_TOOL]},
            background={**_PROMPT, "background": True},
        ),
    ),
    "response": Documented(
        summary="Show a response",
        responses={
            200: {
                "model": schemas.ResponseSchema,
                "description": "The response as it stands; with `stream`, its events as text/event-stream.",
                "content": {"text/event-stream": {}},
            },
            303: TOO_LARGE,
            **_ERRORS(
                s400="`stream` was asked for before the response ended.",
                s404="The response does not exist, or was not stored.",
                s410="Its pictures are no longer kept.",
            ),
        },
        errors=_ERRORS,
        examples=_ANSWERS,
        refusals=_UNKNOWN,
    ),
    "cancel_response": Documented(
        summary="Cancel a response",
        responses={
            200: {"model": schemas.ResponseSchema, "description": "The response, cancelled or as it had ended."},
            303: TOO_LARGE,
            **_ERRORS(s404="The response does not exist.", s409=OVERTAKEN, s410="Its pictures are no longer kept."),
        },
        errors=_ERRORS,
        examples={**_ANSWERS, 200: responses.build_response(_CANCELLED, SampleContext())},
        refusals={**_UNKNOWN, 409: samples.START_REFUSALS[409]},
    ),
}
