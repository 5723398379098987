"""Reads a chat that is to end in a picture (docs/protocols/gigachat.md#drawing), or says what is wrong with it."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.gigachat.faults import FAULTS

SIDE = 1024
"""Pixels of the square that the model draws, whatever it is asked for."""
STEPS = 0
MODELS = ("GigaChat-2", "GigaChat-2-Pro", "GigaChat-2-Max")
ROLES = {"system", "user", "assistant", "function"}
COMMAND = re.compile(r"\s*(нарисуй|изобрази|draw)\b[\s:,]*", re.IGNORECASE)
"""What makes the model draw; it is no part of what is drawn."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat: its model, and the picture it asks for; None where it will be answered in words."""

    model: str
    prompt: str
    picture: PictureSpec | None


def read_chat(body: Any) -> Chat:
    """The chat from its parsed JSON. Raises HTTPException or DirectiveError."""
    if not isinstance(body, dict):
        raise HTTPException(400, "Bad request: the body must be a JSON object")
    if body.get("model") not in MODELS:
        raise HTTPException(404, "No such model")
    text = last_text(body.get("messages"))
    command = COMMAND.match(text)
    prompt = text[command.end() :] if command else text
    draws = command is not None and body.get("function_call") == "auto"
    return Chat(str(body["model"]), prompt, picture_of(prompt) if draws else None)


def last_text(messages: Any) -> str:
    """What was said last."""
    if not isinstance(messages, list) or not messages:
        raise HTTPException(422, "Invalid params: messages must not be empty")
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise HTTPException(422, f"Invalid params: role must be one of {', '.join(sorted(ROLES))}")
    text = messages[-1].get("content")
    if not isinstance(text, str) or not text.strip():
        raise HTTPException(422, "Invalid params: the last message is empty")
    return text


def picture_of(prompt: str) -> PictureSpec:
    """The picture; its seed is the model's own choice."""
    seed = secrets.randbelow(2**31)
    return PictureSpec(
        prompt=prompt,
        seed=seed,
        width=SIDE,
        height=SIDE,
        steps=STEPS,
        format="jpeg",
        directives=parse_directives(prompt, FAULTS),
    )
