"""Reads a model's input (docs/protocols/workers-ai.md#models), or says what is wrong with it."""

import json
import secrets
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request

from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.drawing import Format
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.openai.multipart import read_form
from imagegate.local.upstreams.workers_ai.faults import FAULTS

NO_SUCH_MODEL = 5007
WRONG_INPUT = 5006
LONGEST_PROMPT = 2048
SIDE = 1024


class RunError(Exception):
    """A run that is refused: HTTP status, code and text of the error."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model takes, and how it answers."""

    numbers: dict[str, range]
    """The numbers it takes, and their bounds."""
    texts: frozenset[str] = frozenset()
    form: bool = False
    """It takes a form, and nothing else."""
    strict: bool = False
    """It refuses any field beyond these."""
    binary: bool = False
    """It answers bytes; any other JSON, with base64."""
    format: Format = "jpeg"


SEEDS = range(2**63)
PLAIN_SIDES = dict.fromkeys(("width", "height"), range(256, 2049))
FLUX_2_SIDES = dict.fromkeys(("width", "height"), range(256, 1921))
DIFFUSION = {**PLAIN_SIDES, "num_steps": range(1, 21), "guidance": range(51), "seed": SEEDS}
MODELS = {
    "@cf/black-forest-labs/flux-1-schnell": Model(numbers={"steps": range(1, 9)}, strict=True),
    "@cf/black-forest-labs/flux-2-dev": Model(
        numbers={**FLUX_2_SIDES, "steps": range(1, 51), "guidance": range(51), "seed": SEEDS}, form=True
    ),
    "@cf/black-forest-labs/flux-2-klein-4b": Model(numbers={**FLUX_2_SIDES, "seed": SEEDS}, form=True),
    "@cf/black-forest-labs/flux-2-klein-9b": Model(numbers={**FLUX_2_SIDES, "seed": SEEDS}, form=True),
    "@cf/stabilityai/stable-diffusion-xl-base-1.0": Model(
        numbers=DIFFUSION, texts=frozenset({"negative_prompt"}), binary=True, format="png"
    ),
    "@cf/lykon/dreamshaper-8-lcm": Model(
        numbers=DIFFUSION, texts=frozenset({"negative_prompt"}), binary=True, format="png"
    ),
    "@cf/leonardo/phoenix-1.0": Model(
        numbers={**DIFFUSION, "num_steps": range(1, 51)}, texts=frozenset({"negative_prompt"}), binary=True
    ),
}


async def read_run(request: Request, name: str) -> PictureSpec:
    """The picture that a run asks for. Raises RunError."""
    model = MODELS.get(name)
    if model is None:
        raise RunError(400, NO_SUCH_MODEL, f"No such model {name} or task")
    given = await _form(request) if model.form else await _json(request)
    if model.strict and (surplus := given.keys() - model.numbers.keys() - {"prompt"}):
        _wrong(f"must NOT have additional properties: {min(surplus)}")
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= LONGEST_PROMPT:
        _wrong(f"'/prompt' must be a text of 1 to {LONGEST_PROMPT} characters")
    numbers = {name: _number(given, name, allowed) for name, allowed in model.numbers.items() if name in given}
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise RunError(400, WRONG_INPUT, str(error)) from error
    seed = int(numbers.get("seed", secrets.randbelow(2**31)))
    width, height = int(numbers.get("width", SIDE)), int(numbers.get("height", SIDE))
    steps = int(numbers.get("steps", numbers.get("num_steps", 4)))
    return PictureSpec(
        prompt=prompt, seed=seed, width=width, height=height, steps=steps, format=model.format, directives=directives
    )


async def _form(request: Request) -> dict[str, Any]:
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        _wrong("required properties at '/' are 'multipart'")
    parts = read_form(content_type, await request.body())
    return {part.name: part.body.decode("utf-8", "replace") for part in parts if not part.is_file}


async def _json(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.body())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        _wrong("Type mismatch of '/', 'object' not in 'string'")
    return document


def _number(given: dict[str, Any], name: str, allowed: range) -> float:
    try:
        number = float(given[name])
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(given[name], bool) or not allowed[0] <= number <= allowed[-1]:
        _wrong(f"'/{name}' must be a number from {allowed[0]} to {allowed[-1]}")
    return number


def _wrong(message: str) -> NoReturn:
    raise RunError(400, WRONG_INPUT, f"Error: {message}")
