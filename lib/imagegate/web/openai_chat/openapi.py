"""What the OpenAPI document says of OpenAI's Chat Completions API."""

from dataclasses import replace

from imagegate.dialects.openai_chat.bodies import ChatBody
from imagegate.dialects.openai_chat.dialect import OPENAI_CHAT
from imagegate.dialects.openai_chat.responses import render_ended
from imagegate.web import openapi_samples as samples
from imagegate.web.openai.openapi import ERROR, document_start
from imagegate.web.openai_chat import schemas
from imagegate.web.openapi_context import SampleContext
from imagegate.web.openapi_parts import ErrorAnswers, json_body

_ERRORS = ErrorAnswers((replace(ERROR, dialect=OPENAI_CHAT),))
_DONE = replace(samples.DONE, dialect=OPENAI_CHAT.name, reply={"markdown": "true"})
_MESSAGE = {"role": "user", "content": "a red fox in the snow"}
DOCUMENTED = {
    "complete": document_start(
        _ERRORS,
        summary="Make a picture in a chat",
        schema=schemas.ChatSchema,
        description="The message with its picture; with `stream`, its chunks as text/event-stream.",
        examples={
            200: render_ended(_DONE, SampleContext()).body,
            202: samples.native(samples.QUEUED),
            303: OPENAI_CHAT.render_redirect(samples.QUEUED, "").body,
        },
        body=json_body(
            ChatBody,
            simple={"model": "flux", "messages": [_MESSAGE], "modalities": ["image", "text"]},
            markdown={"model": "flux", "messages": [_MESSAGE], "markdown": True},
        ),
    ),
}
