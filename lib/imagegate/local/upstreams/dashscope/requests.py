"""Reads the three bodies of DashScope (docs/protocols/dashscope.md#requests), or says what is wrong with them."""

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from imagegate.local.upstreams.directives import DirectiveError, FaultSet, parse_directives
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec

SIZE = re.compile(r"([1-9]\d{2,3})\*([1-9]\d{2,3})")
SIDES = range(512, 2561)
STEPS = 0
MOST_IMAGES = 6


class DashScopeError(Exception):
    """An error answer: its HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class DashScopeRequest:
    """A checked request: the first of its pictures, and how many there are."""

    picture: PictureSpec
    n: int


def read_generation(body: Any, faults: FaultSet, *, messages: bool) -> DashScopeRequest:
    """The request from its parsed JSON. Raises DashScopeError."""
    reported = body if isinstance(body, dict) else invalid("The body must be a JSON object.")
    if not isinstance(reported.get("model"), str):
        invalid("Required parameter model is missing.")
    given = _object(reported.get("input"))
    content = _content(given) if messages else [{"text": given.get("prompt")}]
    prompt = "".join(str(part["text"]) for part in content if isinstance(part.get("text"), str))
    if not prompt.strip():
        invalid("Field required: input.messages.content.text" if messages else "Field required: input.prompt")
    parameters = _object(reported.get("parameters"))
    width, height = _size(parameters.get("size"))
    try:
        directives = parse_directives(prompt, faults)
    except DirectiveError as error:
        invalid(str(error))
    seed = _whole(parameters, "seed", secrets.randbelow(2**31), range(2**31))
    picture = PictureSpec(
        prompt=prompt,
        seed=seed,
        width=width,
        height=height,
        steps=STEPS,
        format="png",
        directives=directives,
        inputs=_pictures(content),
    )
    return DashScopeRequest(picture, _whole(parameters, "n", 1, range(1, MOST_IMAGES + 1)))


def invalid(message: str) -> NoReturn:
    """Refuse the request."""
    raise DashScopeError(400, "InvalidParameter", message)


def _object(reported: Any) -> Mapping[str, Any]:
    return reported if isinstance(reported, Mapping) else {}


def _content(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = given.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) and last.get("role") == "user" else None
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        invalid("Field required: input.messages")
    return content


def _size(reported: Any) -> tuple[int, int]:
    match = SIZE.fullmatch(str(reported or "1328*1328"))
    if not match or not {int(match[1]), int(match[2])} <= set(SIDES):
        invalid(f"size: WIDTH*HEIGHT with sides from {SIDES.start} to {SIDES.stop - 1}")
    return int(match[1]), int(match[2])


def _whole(parameters: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
    value = parameters.get(name)
    if value is None:
        return default
    if type(value) is not int or value not in allowed:
        invalid(f"{name}: a whole number from {allowed.start} to {allowed.stop - 1}")
    return value


def _pictures(content: list[dict[str, Any]]) -> tuple[bytes, ...]:
    """The input pictures; of addresses only `data:` URLs are read."""
    try:
        reported = [
            base64.b64decode(part["image"].partition(",")[2], validate=True) for part in content if "image" in part
        ]
        return tuple(reduced(picture) for picture in reported)
    except (AttributeError, ValueError, OSError):
        invalid("image: a data URL of a picture")
