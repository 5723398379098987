"""Reads the body of `generateContent` (docs/protocols/gemini.md#request)."""

import base64
import secrets
from typing import Any

from starlette.exceptions import HTTPException

from imagegate.local.upstreams.directives import parse_directives
from imagegate.local.upstreams.drawing.editing import reduced
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.gemini.faults import FAULTS

SIZES = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
"""Pixels by aspect ratio, at 1K."""


def read_picture(body: Any) -> PictureSpec:
    """The picture that is asked for. Raises HTTPException or DirectiveError."""
    try:
        parts = [part for content in body["contents"] for part in content["parts"]]
        prompt = " ".join(part["text"] for part in parts if "text" in part)
        inputs = tuple(reduced(base64.b64decode(part["inlineData"]["data"])) for part in parts if "inlineData" in part)
    except (KeyError, TypeError, ValueError, OSError):
        raise HTTPException(400, "Invalid JSON payload received.") from None
    config = body.get("generationConfig") or {}
    if "IMAGE" not in config.get("responseModalities", ["IMAGE"]):
        raise HTTPException(400, "The stand-in makes pictures only: responseModalities must hold IMAGE.")
    ratio = (config.get("imageConfig") or {}).get("aspectRatio", "1:1")
    if ratio not in SIZES:
        raise HTTPException(400, f"aspect_ratio must be one of {', '.join(SIZES)}.")
    seed = config.get("seed")
    seed = secrets.randbelow(2**31) if seed is None else int(seed)
    width, height = SIZES[ratio]
    return PictureSpec(
        prompt=prompt,
        seed=seed,
        width=width,
        height=height,
        steps=0,
        format="png",
        directives=parse_directives(prompt, FAULTS),
        inputs=inputs,
    )
