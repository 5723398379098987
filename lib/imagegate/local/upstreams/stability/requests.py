"""Reads the form of a Stable Image call (docs/protocols/stability.md#drawing), or says what is wrong with it."""

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, DirectiveError, FaultSet, parse_directives
from imagegate.local.upstreams.drawing.drawing import FORMATS, Format
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.openai.multipart import read_form

FAULTS = FaultSet(
    protocol="stability",
    title="Stability AI",
    stages=dict.fromkeys((*ANY_CALL, *JOB, *PICTURE), ("submit",)),
)

LONGEST_PROMPT = 10_000
LARGEST_SEED = 2**32 - 2
SIZES = {
    "16:9": (1344, 768),
    "1:1": (1024, 1024),
    "21:9": (1536, 640),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
CORE_SIZES = {
    "16:9": (1664, 960),
    "1:1": (1280, 1280),
    "21:9": (1920, 832),
    "2:3": (1024, 1536),
    "3:2": (1536, 1024),
    "4:5": (1152, 1408),
    "5:4": (1408, 1152),
    "9:16": (960, 1664),
    "9:21": (832, 1920),
}
SD3_MODELS = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash")
COMMON = {"prompt", "negative_prompt", "aspect_ratio", "seed", "output_format", "image", "strength"}


@dataclass(frozen=True, slots=True)
class Service:
    """One of the addresses, and what is different there."""

    fields: frozenset[str]
    """It takes beside COMMON."""
    formats: tuple[str, ...]
    sizes: dict[str, tuple[int, int]]


SERVICES = {
    "core": Service(frozenset({"style_preset"}), FORMATS, CORE_SIZES),
    "ultra": Service(frozenset({"style_preset"}), FORMATS, SIZES),
    "sd3": Service(frozenset({"model", "mode", "cfg_scale", "style_preset"}), ("png", "jpeg"), SIZES),
}


class BadRequest(ValueError):
    """A form that is refused with HTTP 400."""


async def read_call(request: Request, service: Service) -> PictureSpec:
    """The picture asked for. Raises BadRequest."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        raise BadRequest("content-type: must be multipart/form-data")
    parts = read_form(content_type, await request.body())
    form = {part.name: part.body.decode("utf-8", "replace") for part in parts if not part.is_file}
    if surplus := form.keys() - COMMON - service.fields:
        raise BadRequest(f"{min(surplus)}: is not allowed")
    if "model" in service.fields:
        read_choice(form, "model", SD3_MODELS)
    return read_picture(form, service)


def read_picture(form: dict[str, str], service: Service) -> PictureSpec:
    """The picture of a form with no fields that are not allowed."""
    prompt = form.get("prompt", "")
    if not 0 < len(prompt) <= LONGEST_PROMPT:
        raise BadRequest(f"prompt: must have 1 to {LONGEST_PROMPT} characters")
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise BadRequest(str(error)) from error
    width, height = service.sizes[read_choice(form, "aspect_ratio", tuple(service.sizes), "1:1")]
    return PictureSpec(
        prompt=prompt,
        seed=read_seed(form),
        width=width,
        height=height,
        steps=0,
        format=format_of(read_choice(form, "output_format", service.formats, "png")),
        directives=directives,
    )


def read_choice(form: dict[str, str], name: str, known: tuple[str, ...], default: str | None = None) -> str:
    """One of the known values."""
    value = form.get(name) or default or known[0]
    if value not in known:
        raise BadRequest(f"{name}: must be one of {', '.join(known)}")
    return value


def read_seed(form: dict[str, str]) -> int:
    """The seed; 0 and none are any."""
    text = form.get("seed") or "0"
    if not text.isdecimal() or int(text) > LARGEST_SEED:
        raise BadRequest(f"seed: must be a whole number from 0 to {LARGEST_SEED}")
    return int(text) or secrets.randbelow(LARGEST_SEED) + 1


def format_of(name: str) -> Format:
    """The format of that name."""
    return next(each for each in FORMATS if each == name)
