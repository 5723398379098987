"""How two generations of Gradio differ, and what the Space's form accepts.

Everything here was read off real servers (docs/protocols/gradio-spaces.md); tests/contract/real_gradio holds the same
assertions against them and against the stand-in.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Literal

MAX_SEED = 2147483647
LARGEST_SIDE = 8192
"""Pixels; Gradio 4 lets any size through to the model, and a graphics card ends somewhere too."""

SLIDERS = {"seed": (0, MAX_SEED), "width": (256, 2048), "height": (256, 2048), "steps": (1, 50)}
"""Bounds of the form's sliders; steps of 32 pixels are not enforced by any generation."""

REFUSAL = "The stand-in's content filter refused this prompt."
QUOTA = (
    "You have exceeded your GPU quota (60s requested vs. 42s left). Try again in 0:00:05 "
    '<a style="white-space: nowrap;" href="https://huggingface.co/join">Create a free account</a> '
    "to get more daily usage quota."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradioVersion:
    """What a client can see of a Gradio version."""

    version: str
    prefix: str
    """Stands before `/call` and `/file=` in every path."""
    lost: str
    """Data of the error event for an unknown event id, or one whose reader went away."""
    explains: bool
    """Whether error events say why, and sliders are enforced."""
    missing_file: tuple[int, str]
    """Status and text for a path that is not, or no longer, in the server's cache."""

    def failure(self, text: str | None) -> str:
        """Data of an error event; `text` is None for anything but a `gr.Error`."""
        if not self.explains:
            return "null"
        details = {"duration": 10, "visible": True, "title": "Error"} if text is not None else {}
        return json.dumps({"error": text} | details)

    def config(self, root: str) -> dict[str, Any]:
        """The parts of `GET /config` a client can go by; Gradio 4 has no `api_prefix`."""
        prefix = {"api_prefix": self.prefix} if self.prefix else {}
        return {"version": self.version, **prefix, "mode": "blocks", "protocol": "sse_v3", "root": root}


GENERATIONS: dict[Literal[4, 6], GradioVersion] = {
    4: GradioVersion(
        version="4.44.1",
        prefix="",
        lost='"404: Session not found."',
        explains=False,
        missing_file=(404, "File not found: {}."),
    ),
    6: GradioVersion(
        version="6.31.0",
        prefix="/gradio_api",
        lost='"404: Not Found"',
        explains=True,
        missing_file=(403, "File not allowed: {}."),
    ),
}


class InferError(Exception):
    """The call ends in an error event; the text is None when Gradio gives no reason."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of `infer`, checked, with the seed that is used."""

    prompt: str
    seed: int
    width: int
    height: int
    steps: int


def prompt_in(data: list[Any]) -> str:
    """The prompt as the textbox would take it; empty when there is none."""
    return str(data[0]) if data and data[0] is not None else ""


def read_arguments(data: list[Any], generation: GradioVersion) -> Arguments:
    """The arguments from the `data` list; raises InferError. Surplus elements are ignored, as by both generations."""
    if len(data) < 6 or data[0] is None:
        raise InferError
    seed, width, height, steps = (whole(data[at]) for at in (1, 3, 4, 5))
    if generation.explains:
        check_sliders({"seed": seed, "width": width, "height": height, "steps": steps})
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise InferError
    chosen = secrets.randbelow(MAX_SEED + 1) if data[2] else seed
    return Arguments(prompt=str(data[0]), seed=chosen, width=width, height=height, steps=steps)


def whole(value: Any) -> int:
    """A whole number; anything else crashes in the model."""
    if not isinstance(value, int):
        raise InferError
    return int(value)


def check_sliders(values: dict[str, int]) -> None:
    """Raise for the first value that its slider does not reach, with Gradio 6's text."""
    for name, value in values.items():
        low, high = SLIDERS[name]
        if value < low:
            raise InferError(f"Value {value} is less than minimum value {low}.")
        if value > high:
            raise InferError(f"Value {value} is greater than maximum value {high}.")
