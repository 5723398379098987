"""Reads the tasks of a call to Runware (docs/protocols/runware.md#tasks), or says what is wrong with them."""

import base64
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.runware.faults import FAULTS

FORMATS: dict[str, Format] = {"JPG": "jpeg", "PNG": "png", "WEBP": "webp"}
TYPES = ("URL", "base64Data", "dataURI")
MOST_RESULTS = 20
SIDES = range(128, 2049)


class TaskError(Exception):
    """A task that is refused: its HTTP status and the entry of `errors`."""

    def __init__(
        self, code: str, message: str, task: Mapping[str, Any], parameter: str = "", status: int = 400
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {name: task[name] for name in ("taskType", "taskUUID") if isinstance(task.get(name), str)}
        self.entry = {"code": code, "message": message, **({"parameter": parameter} if parameter else {}), **named}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTask:
    """A checked `imageInference` task."""

    id: str
    asynchronous: bool
    picture: PictureSpec
    """The first one; the others have the seeds that follow."""
    results: int
    output_type: str
    output_format: str
    include_cost: bool


def read_image_task(task: Mapping[str, Any]) -> ImageTask:
    """The task. Raises TaskError."""
    prompt = task.get("positivePrompt")
    if not isinstance(prompt, str) or not 2 <= len(prompt) <= 3000:
        raise TaskError("invalidPositivePrompt", "positivePrompt: 2 to 3000 characters", task, "positivePrompt")
    if not isinstance(task.get("model"), str) or ":" not in task["model"]:
        raise TaskError("invalidModel", "model must be an AIR identifier", task, "model")
    picture = PictureSpec(
        prompt=prompt,
        seed=_whole(task, "seed", secrets.randbelow(2**31), range(2**63)),
        width=_whole(task, "width", 1024, SIDES),
        height=_whole(task, "height", 1024, SIDES),
        steps=_whole(task, "steps", 0, range(1, 101)),
        format=FORMATS[_one_of(task, "outputFormat", tuple(FORMATS))],
        directives=_directives(task, prompt),
        inputs=_references(task),
    )
    return ImageTask(
        id=read_id(task),
        asynchronous=_one_of(task, "deliveryMethod", ("sync", "async")) == "async",
        picture=picture,
        results=_whole(task, "numberResults", 1, range(1, MOST_RESULTS + 1)),
        output_type=_one_of(task, "outputType", TYPES),
        output_format=_one_of(task, "outputFormat", tuple(FORMATS)),
        include_cost=task.get("includeCost") is True,
    )


def read_id(task: Mapping[str, Any]) -> str:
    """The task's UUID, which must be of version 4. Raises TaskError."""
    given = task.get("taskUUID")
    try:
        found = uuid.UUID(str(given))
    except ValueError:
        found = uuid.NAMESPACE_OID
    if found.version != 4:
        raise TaskError("invalidTaskUUID", "taskUUID must be a UUID v4", task, "taskUUID")
    return str(given)


def _directives(task: Mapping[str, Any], prompt: str) -> Any:
    try:
        return parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise TaskError("invalidPositivePrompt", str(error), task, "positivePrompt") from error


def _whole(task: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
    value = task.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        last = allowed.stop - 1
        raise TaskError(f"invalid{name[0].upper()}{name[1:]}", f"{name}: {allowed.start} to {last}", task, name)
    return value


def _one_of(task: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = task.get(name) or known[0]
    if value not in known:
        raise TaskError(f"invalid{name[0].upper()}{name[1:]}", f"{name}: one of {', '.join(known)}", task, name)
    return str(value)


def _references(task: Mapping[str, Any]) -> tuple[bytes, ...]:
    inputs = task.get("inputs")
    references = inputs.get("referenceImages") if isinstance(inputs, Mapping) else None
    try:
        pictures = [base64.b64decode(each.rpartition(",")[2], validate=True) for each in references or ()]
        return tuple(reduced(picture) for picture in pictures)
    except (AttributeError, TypeError, ValueError, OSError) as error:
        raise TaskError("invalidReferenceImages", "referenceImages: pictures", task, "referenceImages") from error
