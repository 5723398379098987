"""The `input` of a response or the `messages` of a chat: what is asked for now, and the pictures that came before.

The user's messages after everything else are the request. What OpenAI's model would make of the turns before them
needs a language model, so of those only the last picture counts (docs/responses.md#what-becomes-the-prompt).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagegate.dialects.openai.pictures import MADE_HERE, UPLOAD, Reference
from imagegate.dialects.openai_responses.ids import picture_of_call
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.ids import is_id

CALL = "image_generation_call"
_TEXTS = ("input_text", "output_text", "text", "refusal")
_FOR_MODELS = ("reasoning", "compaction", "item_reference")
"""Items that only a language model reads, and that its clients send back without asking for anything."""
_FILE = "file-"
_LINK = re.compile(r"/v1/images/([0-9a-z]{20}-\d{1,2})\b")
"""To a picture that this gateway made, in the text of an answer."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A conversation, taken apart."""

    texts: list[str] = field(default_factory=list)
    """What the user asks for now."""
    pictures: list[Reference] = field(default_factory=list)
    """Pictures that the user sends with it."""
    made: Reference | None = None
    """The last picture that was made before."""
    earlier: list[str] = field(default_factory=list)
    """The texts of the turns before."""
    instructed: bool = False
    """True when a message instructs the language model."""

    def end_turn(self) -> None:
        """What was asked for belongs to the past once something else follows it."""
        self.earlier += self.texts
        self.texts, self.pictures = [], []


def read_input(value: str | Sequence[Mapping[str, Any]], name: str = "input") -> Conversation:
    """Take the field `name` apart. Raises InvalidRequest."""
    conversation = Conversation()
    if isinstance(value, str):
        conversation.texts.append(value)
        return conversation
    for at, item in enumerate(value):
        _read_item(conversation, item, f"{name}[{at}]")
    if not conversation.texts and not conversation.pictures:
        raise InvalidRequest(f"The last message of '{name}' must be the user's.", param=name)
    return conversation


def _read_item(conversation: Conversation, item: Mapping[str, Any], where: str) -> None:
    kind = item.get("type") or "message"
    if kind == CALL or (kind == "item_reference" and picture_of_call(str(item.get("id")))):
        conversation.end_turn()
        conversation.made = _made(item, where) or conversation.made
    elif kind == "message":
        _read_message(conversation, item, where)
    elif kind in _FOR_MODELS:
        conversation.end_turn()
    else:
        raise InvalidRequest(
            f"'{where}' is of the type '{str(kind)[:60]}', which needs a language model. This gateway makes pictures.",
            param=where,
            remedy="Send messages and image generation calls only.",
        )


def _read_message(conversation: Conversation, item: Mapping[str, Any], where: str) -> None:
    role, content = item.get("role"), item.get("content")
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    if role == "assistant":
        parts = parts or []  # a message that only called tools, or held pictures
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise InvalidRequest(f"'{where}.content' must be text or a list of parts.", param=f"{where}.content")
    if role == "user":
        for at, part in enumerate(parts):
            _read_part(conversation, part, f"{where}.content[{at}]")
        return
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if role in ("system", "developer"):
        conversation.instructed = True
        conversation.earlier[:0] = texts
        return
    if role != "assistant":
        printed = str(role)[:60]
        raise InvalidRequest(
            f"'{where}' has the role '{printed}', which needs a language model.", param=f"{where}.role"
        )
    conversation.end_turn()
    conversation.earlier += texts
    conversation.made = _find_reference(item, texts, where) or conversation.made


def _find_reference(message: Mapping[str, Any], texts: Sequence[str], where: str) -> Reference | None:
    """The last picture in a message of the assistant: one of its `images`, or linked in its text."""
    images = message.get("images")
    if isinstance(images, list) and images and isinstance(images[-1], Mapping):
        return read_picture(images[-1], f"{where}.images[{len(images) - 1}]")
    found = _LINK.findall("\n".join(texts))
    return Reference(f"{where}.content", MADE_HERE + found[-1]) if found else None


def _read_part(conversation: Conversation, part: Mapping[str, Any], where: str) -> None:
    kind = part.get("type")
    if kind in _TEXTS and isinstance(part.get("text"), str):
        conversation.texts.append(part["text"])
    elif kind in ("input_image", "image_url"):
        conversation.pictures.append(read_picture(part, where))
    else:
        known = "text or image_url" if where.startswith("messages") else "input_text or input_image"
        remedy = "A picture is a data URL such as data:image/png;base64,…, or an https address."
        raise InvalidRequest(f"'{where}' must be of the type {known}, with its content.", param=where, remedy=remedy)


def read_picture(part: Mapping[str, Any], where: str) -> Reference:
    """The picture in a part with an `image_url` or a `file_id`. Raises InvalidRequest."""
    url, file = part.get("image_url"), part.get("file_id")
    url = url.get("url") if isinstance(url, Mapping) else url
    if isinstance(url, str) and url.strip():
        text = url.strip()
        if text.startswith(("data:", "https://", "http://")):
            return Reference(f"{where}.image_url", text)
        raise InvalidRequest(f"'{where}.image_url' must be a data URL or an https address.", param=where)
    if isinstance(file, str) and is_id(file.removeprefix(_FILE)):
        return Reference(f"{where}.file_id", UPLOAD + file.removeprefix(_FILE))
    remedy = "A file_id is the id of an upload: POST /v1/uploads. An image_url is a data URL or an https address."
    raise InvalidRequest(f"'{where}' must have a picture.", param=where, remedy=remedy)


def _made(item: Mapping[str, Any], where: str) -> Reference | None:
    """The picture of an earlier call: its bytes where the client sends them back, or else by its id."""
    if isinstance(result := item.get("result"), str) and result:
        return Reference(f"{where}.result", result)
    if picture := picture_of_call(str(item.get("id"))):
        return Reference(f"{where}.id", MADE_HERE + picture)
    return None
