"""Reads the body of YandexART's `imageGenerationAsync` (docs/protocols/yandexart.md#start), or says what is wrong."""

import json
import math
import re
import secrets
from typing import Any

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.yandexart.faults import FAULTS
from imagegate.local.upstreams.yandexart.protojson import ProtoError, double, int64, member, repeated, string

LONGEST_PROMPT = 500
"""Characters, over all messages of a request."""

SIDE = 1024
"""Pixels: a square answer is 1024x1024; other ratios keep about that area."""

GRAIN = 16
"""Pixels that both sides are multiples of."""

WIDEST = 8
"""The largest ratio of the sides that is drawn; the documentation names no bound."""

MODEL_URI = re.compile(r"art://([^/\s]+)/([^/\s]+)(/[^/\s]+)?")
NEWER_MODEL = "aliceai-image-art"
FAILED_PRECONDITION = 9
STEPS = 0
"""The service does not say how many steps it takes."""


def read_request(body: bytes, folder: str | None) -> PictureSpec:
    """The picture asked for, from the raw bytes: the documented cURL sends no JSON content type.

    `folder`: the caller's, if it named one.

    Raises ProtoError or DirectiveError.
    """
    message = parse(body)
    check_model(string(member(message, "modelUri"), "modelUri"), folder)
    prompt = read_prompt(repeated(member(message, "messages"), "messages"))
    options = member(message, "generationOptions")
    if string(member(options, "mimeType"), "mimeType") not in ("", "image/jpeg"):
        raise ProtoError("mimeType: only image/jpeg is supported")
    width, height = size_for(member(options, "aspectRatio"))
    seed = read_seed(options)
    return PictureSpec(
        prompt=prompt,
        seed=seed,
        width=width,
        height=height,
        steps=STEPS,
        format="jpeg",
        directives=parse_directives(prompt, FAULTS),
    )


def parse(body: bytes) -> Any:
    """The JSON of the body."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise ProtoError(f"the body is not JSON: {error}") from error


def check_model(uri: str, folder: str | None) -> None:
    """Refuse what the service refuses: URIs of another shape or folder, and the model of its newer API."""
    match = MODEL_URI.fullmatch(uri)
    if not match:
        raise ProtoError(f"Failed to parse model URI {uri!r}, expected art://<folder>/<model>[/<branch>]")
    if folder and match[1] != folder:
        raise ProtoError(f"Specified folder ID '{match[1]}' does not match with service account folder ID '{folder}'")
    if match[2].startswith(NEWER_MODEL):
        raise ProtoError(f"model {match[2]} is not allowed for this method", FAILED_PRECONDITION)


def read_prompt(messages: list[Any]) -> str:
    """The texts of all messages; weights are checked and, as by the service since 2025, not used."""
    texts = [string(member(each, "text"), "text") for each in messages]
    for each in messages:
        double(member(each, "weight"), "weight")
    prompt = "\n".join(texts)
    if not prompt.strip():
        raise ProtoError("messages: at least one text is needed")
    if sum(map(len, texts)) > LONGEST_PROMPT:
        raise ProtoError(f"messages: the prompt is longer than {LONGEST_PROMPT} characters")
    return prompt


def read_seed(options: Any) -> int:
    """The seed; 0 and absent mean any."""
    seed = int64(member(options, "seed"), "seed")
    if seed < 0:
        raise ProtoError("seed must not be negative")
    return seed or 1 + secrets.randbelow(2**31)


def size_for(ratio: Any) -> tuple[int, int]:
    """Pixels from `widthRatio` and `heightRatio`; 0 and absent mean 1."""
    wide = int64(member(ratio, "widthRatio"), "widthRatio") or 1
    high = int64(member(ratio, "heightRatio"), "heightRatio") or 1
    if min(wide, high) < 0:
        raise ProtoError("aspectRatio must not be negative")
    stretch = math.sqrt(min(max(wide / high, 1 / WIDEST), WIDEST))
    return round(SIDE * stretch / GRAIN) * GRAIN, round(SIDE / stretch / GRAIN) * GRAIN
