"""Requests of OpenAI's Chat Completions API: the user's last messages as the prompt of a picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from imagegate.dialects.cleaning import printable_name, without_empty
from imagegate.dialects.openai.options import build_from_options, option_names, options_beside
from imagegate.dialects.openai.pictures import SentPictures
from imagegate.dialects.openai_chat.bodies import ChatBody
from imagegate.dialects.openai_chat.dialect import NAME
from imagegate.dialects.openai_responses.conversation import Conversation, read_input
from imagegate.dialects.parsing import parse_document
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.request.request import InputImage
from imagegate.usecases.start import GenerationRequest

_CLIENTS_OWN = (
    "parallel_tool_calls",
    "prompt_cache_key",
    "response_format",
    "store",
    "tools",
    "tool_choice",
    "extra_body",
)
"""Fields that packages send by themselves, and that ask for nothing of a picture where they are not refused."""
_OPTIONS = option_names(ChatBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTask:
    """A request for a picture, before its pictures are brought."""

    document: Mapping[str, Any]
    body: ChatBody
    conversation: Conversation

    @property
    def options(self) -> dict[str, Any]:
        """The options of the picture: beside `messages`, or in OpenRouter's `image_config`."""
        beside = options_beside(self.document, _OPTIONS)
        if isinstance(beside.get("provider"), Mapping):
            del beside["provider"]  # OpenRouter's preferences among its own providers
        return {**without_empty(self.body.image_config or {}, ()), **beside}

    def pictures(self, edits: Callable[[], bool]) -> SentPictures:
        """The input pictures: the user's, or what was made before if the model `edits`."""
        sent, made = self.conversation.pictures, self.conversation.made
        return SentPictures({}, tuple(sent or ([made] if made and edits() else [])), None)

    def ignored(self, inputs: Sequence[InputImage]) -> list[str]:
        """The fields without effect, given the pictures that are worked from."""
        conversation, expands = self.conversation, bool(self.options.get("expand"))
        unread = bool(conversation.earlier) and not (inputs and not conversation.instructed) and not expands
        lost = unread or (conversation.made is not None and not inputs)
        known = (*ChatBody.model_fields, *_OPTIONS, *_CLIENTS_OWN)
        unknown = [printable_name(name) for name in without_empty(self.document, ()) if name not in known]
        others = ["provider"] if isinstance(self.document.get("provider"), Mapping) else []
        return [*(["messages"] if lost else []), *others, *unknown]


def parse(body: bytes, largest: int) -> ChatTask:
    """Parse a request of at most `largest` bytes. Raises InvalidRequest for what needs a language model."""
    document = parse_document(body, largest)
    try:
        parsed = ChatBody.model_validate(without_empty(document, ("messages",)), strict=True)
    except ValidationError as error:
        raise first_error(error) from None
    _refuse_text(document, parsed)
    return ChatTask(document=document, body=parsed, conversation=read_input(parsed.messages, "messages"))


def build(task: ChatTask, model: str, inputs: tuple[InputImage, ...]) -> GenerationRequest:
    """The GenerationRequest of a task for `model`. Raises InvalidRequest with the offending field in `param`."""
    options = {**task.options, "prompt": _prompt(task), "model": model}
    generation = build_from_options(options, task.document, inputs, None, task.ignored(inputs), "messages")
    return replace(generation, dialect=NAME, reply=_reply(task.body), metadata=task.body.metadata or {})


def _prompt(task: ChatTask) -> str:
    """The user's last words; for a language model that expands them, the conversation before them too."""
    conversation = task.conversation
    before = conversation.earlier if task.options.get("expand") else []
    return "\n\n".join(text for text in (*before, *conversation.texts) if text.strip())


def _reply(body: ChatBody) -> dict[str, str]:
    """What the answer needs."""
    markdown = body.modalities is None if body.markdown is None else body.markdown
    with_usage = bool((body.stream_options or {}).get("include_usage"))
    fields = {
        "markdown": "true" if markdown else "",
        "stream": "true" if body.stream else "",
        "include_usage": "true" if with_usage else "",
    }
    return {"response_format": "b64_json"} | {name: value for name, value in fields.items() if value}


def _refuse_text(document: Mapping[str, Any], body: ChatBody) -> None:
    """Raises InvalidRequest for a request whose answer would have to be written or spoken."""
    if body.modalities is not None and "image" not in body.modalities:
        raise _needs_model("An answer without a picture", "modalities")
    if set(body.modalities or ()) - {"image", "text"}:
        raise _needs_model("An answer of other modalities than image and text", "modalities")
    if document.get("tools") and document.get("tool_choice") != "none":
        raise _needs_model("A request with tools", "tools")
    wanted = document.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") not in (None, "text"):
        raise _needs_model("An answer in JSON", "response_format")


def _needs_model(what: str, param: str) -> InvalidRequest:
    message = f"{what} needs a language model. This gateway has none: it makes pictures."
    return InvalidRequest(message, param=param, remedy=f"Leave '{param}' out, or send modalities: [\"image\"].")
