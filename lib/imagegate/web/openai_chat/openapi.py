"""What the OpenAPI document says of OpenAI's Chat Completions API."""

from dataclasses import replace

from imagegate.dialects.openai_chat.bodies import ChatBody
from imagegate.dialects.openai_chat.dialect import OPENAI_CHAT
from imagegate.dialects.openai_chat.responses import render_ended
from imagegate.web import openapi_samples as samples
from imagegate.web.openai.openapi import ERROR, NO_PICTURES
from imagegate.web.openai_chat import schemas
from imagegate.web.openapi_context import SampleContext
from imagegate.web.openapi_parts import (
    DATA_LOGGING,
    IDEMPOTENCY_KEY,
    OVERTAKEN,
    PREFER,
    REDIRECT,
    Documented,
    ErrorAnswers,
    json_body,
)
from imagegate.web.operations.schemas import ACCEPTED

_ERRORS = ErrorAnswers((replace(ERROR, dialect=OPENAI_CHAT),))
_DONE = replace(samples.DONE, dialect=OPENAI_CHAT.name, reply={"markdown": "true"})
_MESSAGE = {"role": "user", "content": "a red fox in the snow"}
DOCUMENTED = {
    "complete": Documented(
        summary="Make a picture in a chat",
        responses={
            200: {
                "model": schemas.ChatSchema,
                "description": "The message with its picture; with `stream`, its chunks as text/event-stream.",
                "content": {"text/event-stream": {}},
            },
            202: ACCEPTED,
            303: REDIRECT,
            **_ERRORS(
                s400="The request must be changed (`param` names the field), or an upstream refused it.",
                s404="The model does not exist.",
                s409=OVERTAKEN,
                s422="The Idempotency-Key was used with another request; or, at the long-hold address, the pictures "
                "are too large as base64 (`data` has their URLs).",
            ),
            **NO_PICTURES,
        },
        errors=_ERRORS,
        examples={
            200: render_ended(_DONE, SampleContext()).body,
            202: samples.native(samples.QUEUED),
            303: OPENAI_CHAT.render_redirect(samples.QUEUED, "").body,
        },
        refusals=samples.START_REFUSALS,
        parameters=(PREFER, IDEMPOTENCY_KEY, DATA_LOGGING),
        requires_model=True,
        body=json_body(
            ChatBody,
            simple={"model": "flux", "messages": [_MESSAGE], "modalities": ["image", "text"]},
            markdown={"model": "flux", "messages": [_MESSAGE], "markdown": True},
        ),
    ),
}
