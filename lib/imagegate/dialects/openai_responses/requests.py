"""Requests of OpenAI's Responses API: a conversation and a tool as the fields of the Images API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from imagegate.dialects.cleaning import printable_name, without_empty
from imagegate.dialects.openai.options import build_from_options, option_names, options_beside
from imagegate.dialects.openai.pictures import MADE_HERE, Reference, SentPictures
from imagegate.dialects.openai_responses.bodies import ResponsesBody, ToolBody
from imagegate.dialects.openai_responses.conversation import Conversation, read_input, read_picture
from imagegate.dialects.openai_responses.dialect import NAME
from imagegate.dialects.openai_responses.ids import response_id
from imagegate.dialects.parsing import parse_document
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.representation import picture_id
from imagegate.domain.request.request import InputImage
from imagegate.usecases.start import GenerationRequest

TOOL = "image_generation"
_CLIENTS_OWN = (
    "include",
    "parallel_tool_calls",
    "prompt_cache_key",
    "stream_options",
    "text",
    "truncation",
    "extra_body",
)
"""Fields that packages send by themselves, and that ask for nothing of a picture."""
_OPTIONS = option_names(ResponsesBody)
_ANY_CHOICE = ("auto", "required", "none")
_WHAT_IT_DOES = "This gateway has no language model: it makes pictures."


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTask:
    """A request for a picture, before its pictures are brought."""

    document: Mapping[str, Any]
    body: ResponsesBody
    conversation: Conversation
    tool: ToolBody | None
    """The tool; `None` when the request does not have it."""
    tool_options: Mapping[str, Any]
    """The options of the picture in the tool."""

    @property
    def named_model(self) -> str | None:
        """The model that the request names: the tool's own before that of the conversation."""
        return (self.tool and self.tool.model) or self.body.model

    @property
    def model_may_be_replaced(self) -> bool:
        """True when the named model may be the language model that OpenAI's tool works for."""
        return self.tool is not None and not self.tool.model

    @property
    def mask(self) -> Reference | None:
        """The mask. Raises InvalidRequest for one without a picture in it."""
        mask = self.tool.input_image_mask if self.tool else None
        return None if mask is None else read_picture(mask, "tools.input_image_mask")

    def pictures(self, previous: Operation | None, edits: Callable[[], bool]) -> SentPictures:
        """The input pictures; `edits`: the model can work from one.

        Those of this turn, or else what was made before: always when the request says so, otherwise if the model can.
        Raises InvalidRequest.
        """
        found, action = list(self.conversation.pictures), (self.tool and self.tool.action) or "auto"
        if action != "generate" and not found:
            found = _made_in(previous) if previous else []
            if not found and self.conversation.made and (action == "edit" or edits()):
                found = [self.conversation.made]
        if action == "edit" and not found:
            raise InvalidRequest("There is no picture to edit.", param="tools", remedy="Send one as an input_image.")
        return SentPictures({}, tuple(found), self.mask)

    def ignored(self, inputs: Sequence[InputImage]) -> list[str]:
        """The fields without effect, given the pictures that are worked from."""
        conversation, expands = self.conversation, bool(_options(self).get("expand"))
        unread = conversation.made is not None or (bool(conversation.earlier) and not expands)
        names = {
            "instructions": (self.body.instructions or conversation.instructed) and not expands,
            "input": unread and not inputs,
        }
        known = (*ResponsesBody.model_fields, *_OPTIONS, *_CLIENTS_OWN)
        unknown = [printable_name(name) for name in without_empty(self.document, ()) if name not in known]
        return [*(name for name, ignored in names.items() if ignored), *unknown]


def parse(body: bytes, largest: int) -> PictureTask:
    """Parse a request of at most `largest` bytes. Raises InvalidRequest for what needs a language model."""
    document = parse_document(body, largest)
    try:
        parsed = ResponsesBody.model_validate(without_empty(document, ("input",)), strict=True)
    except ValidationError as error:
        raise first_error(error, unions=("input", "tool_choice")) from None
    options = _tool(parsed)
    try:
        tool = None if options is None else ToolBody.model_validate(without_empty(options, ()), strict=True)
    except ValidationError as error:
        refused = first_error(error)
        refused.call_param(f"tools.{refused.param}")
        raise refused from None
    _refuse_text(document)
    if parsed.background and parsed.store is False:
        raise InvalidRequest("A background response has to be stored.", param="store", remedy="Leave 'store' out.")
    if parsed.background and parsed.stream:
        remedy = "Leave 'stream' out, and GET the response with ?stream=true once it has ended."
        raise InvalidRequest("A background response is answered at once.", param="stream", remedy=remedy)
    conversation = read_input(parsed.input)
    own = ("type", *ToolBody.model_fields)
    tool_options = {name: value for name, value in (options or {}).items() if name not in own}
    return PictureTask(document=document, body=parsed, conversation=conversation, tool=tool, tool_options=tool_options)


def build(task: PictureTask, model: str, inputs: tuple[InputImage, ...], mask: InputImage | None) -> GenerationRequest:
    """The GenerationRequest of a task for `model`. Raises InvalidRequest with the offending field in `param`."""
    # Clients of this API save what comes as .png unless they asked for another format.
    options = {"output_format": "png", **_options(task), "prompt": _prompt(task), "model": model}
    replaced = ["model"] if model != task.named_model and task.named_model else []
    generation = build_from_options(options, task.document, inputs, mask, (*replaced, *task.ignored(inputs)), "input")
    return replace(
        generation,
        request=replace(generation.request, private=task.body.store is False),
        dialect=NAME,
        reply=_reply(task.body, generation.reply),
        metadata=task.body.metadata or {},
        sent_names={
            **generation.sent_names,
            "image": "previous_response_id" if task.body.previous_response_id else "input",
        },
    )


def require_previous(previous: Operation) -> None:
    """Raises InvalidRequest for a response that nothing can continue."""
    why = ""
    if "not_stored" in previous.reply:
        why = "was not stored (store: false)"
    elif not previous.done:
        why = "has not ended yet"
    elif previous.state is not State.SUCCEEDED:
        why = "has no pictures"
    if why:
        named = response_id(previous.id)
        raise InvalidRequest(f"Response '{named}' {why}.", param="previous_response_id")


def _made_in(previous: Operation) -> list[Reference]:
    pictures = previous.pictures
    return [Reference("previous_response_id", MADE_HERE + picture_id(previous, each.slot)) for each in pictures]


def _options(task: PictureTask) -> dict[str, Any]:
    """The options of the picture: the tool's, and those beside `input`."""
    return {**options_beside(task.document, _OPTIONS), **without_empty(task.tool_options)}


def _prompt(task: PictureTask) -> str:
    """The user's last words; for a language model that expands them, the conversation before them too."""
    conversation = task.conversation
    before = [task.body.instructions or "", *conversation.earlier] if _options(task).get("expand") else []
    return "\n\n".join(text for text in (*before, *conversation.texts) if text.strip())


def _reply(body: ResponsesBody, reply: Mapping[str, str]) -> dict[str, str]:
    """What the answer needs."""
    choice = body.tool_choice.get("type") if isinstance(body.tool_choice, Mapping) else body.tool_choice
    fields = {
        "stream": "true" if body.stream else None,
        "background": "true" if body.background else None,
        "not_stored": "true" if body.store is False else None,
        "previous_response_id": body.previous_response_id,
        "tool_choice": str(choice) if choice else None,
        "safety_identifier": reply.get("safety_identifier"),
    }
    return {"response_format": "b64_json"} | {name: value for name, value in fields.items() if value}


def _tool(body: ResponsesBody) -> Mapping[str, Any] | None:
    """The image generation tool. Raises InvalidRequest where a language model would have to choose."""
    choice = body.tool_choice
    chosen = choice.get("type") if isinstance(choice, Mapping) else None
    tools = body.tools or []
    if chosen == "allowed_tools":
        allowed = choice.get("tools") if isinstance(choice, Mapping) else None
        listed = allowed if isinstance(allowed, list) else []
        tools = [each for each in tools if {"type": each.get("type")} in listed]
    elif chosen is not None and chosen != TOOL:
        raise _needs_model(f"tool_choice '{str(chosen)[:60]}'", "tool_choice")
    elif chosen is None and choice is not None and choice not in _ANY_CHOICE:
        raise InvalidRequest("'tool_choice' is 'auto', 'required' or a tool.", param="tool_choice")
    if choice == "none" and body.tools:
        raise _needs_model("tool_choice 'none'", "tool_choice")
    own = [each for each in tools if each.get("type") == TOOL]
    for at, each in enumerate(tools):
        if each.get("type") != TOOL and chosen != TOOL:
            raise _needs_model(f"The tool '{str(each.get('name') or each.get('type'))[:60]}'", f"tools[{at}]")
    if len(own) > 1:
        raise InvalidRequest("A request has one image_generation tool.", param="tools")
    if body.tools and not own:
        raise _needs_model("A request without the tool image_generation", "tools")
    return own[0] if own else None


def _refuse_text(document: Mapping[str, Any]) -> None:
    """Raises InvalidRequest for a request whose answer would have to be written."""
    text = document.get("text")
    wanted = text.get("format") if isinstance(text, Mapping) else None
    if isinstance(wanted, Mapping) and wanted.get("type") not in (None, "text"):
        raise _needs_model(f"text.format '{str(wanted.get('type'))[:60]}'", "text.format")
    for name in ("prompt", "conversation"):
        if document.get(name):
            raise InvalidRequest(f"'{name}' is not kept here.", param=name, remedy="Send the text in 'input'.")


def _needs_model(what: str, param: str) -> InvalidRequest:
    remedy = 'Send tools: [{"type": "image_generation"}] and no other, or the model of a picture and no tools.'
    return InvalidRequest(f"{what} needs a language model. {_WHAT_IT_DOES}", param=param, remedy=remedy)
