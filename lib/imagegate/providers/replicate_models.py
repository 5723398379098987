"""What the models on Replicate take (docs/protocols/replicate.md#inputs)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.geometry import Size
from imagegate.providers.parsing import data_url
from imagegate.providers.sizes import ShapeTable

GRID = ShapeTable(
    minimum=640,
    maximum=1536,
    step=64,
    shapes=(
        ((1, 1), Size(1024, 1024)),
        ((16, 9), Size(1344, 768)),
        ((3, 2), Size(1216, 832)),
        ((4, 3), Size(1152, 896)),
        ((5, 4), Size(1088, 896)),
        ((4, 5), Size(896, 1088)),
        ((3, 4), Size(896, 1152)),
        ((2, 3), Size(832, 1216)),
        ((9, 16), Size(768, 1344)),
    ),
)
"""The aspect ratios that all FLUX models on Replicate take (docs/protocols/replicate.md#inputs)."""

SEED_MAXIMUM = 2**31 - 1
FORMATS = {"png": "png", "jpeg": "jpg", "webp": "png"}
"""Our formats in the words that every model knows; WebP is made of PNG, which loses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInputs:
    """What a family of models takes beyond prompt, aspect ratio, seed and format."""

    images_per_call: int = 1
    steps_maximum: int | None = None
    guidance: str = ""
    """What the model calls the guidance; empty: it has none."""
    pictures: str = ""
    """The field of the input pictures; empty: it takes none."""
    input_images: int = 0


MODELS: tuple[tuple[re.Pattern[str], ModelInputs], ...] = (
    (re.compile(r"/flux-schnell\b"), ModelInputs(images_per_call=4, steps_maximum=4)),
    (re.compile(r"/flux-dev\b"), ModelInputs(images_per_call=4, steps_maximum=50, guidance="guidance")),
    (re.compile(r"/flux-2-"), ModelInputs(pictures="input_images", input_images=8)),
    (re.compile(r"/flux-kontext-"), ModelInputs(pictures="input_image", input_images=1)),
)
PLAIN = ModelInputs()
"""Of a model that is not in MODELS."""


def inputs_of(model: str) -> ModelInputs:
    """What the model takes."""
    return next((inputs for pattern, inputs in MODELS if pattern.search(f"/{model}")), PLAIN)


def build_input(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The model's input; nothing is in it that the model does not take."""
    request, inputs = upstream_request.request, inputs_of(upstream_request.model)
    pictures = [data_url(picture) for picture in upstream_request.inputs[: inputs.input_images]]
    shaped = request.size or request.ratio or not pictures
    several = upstream_request.count if inputs.images_per_call > 1 and upstream_request.count > 1 else None
    fields = {
        "prompt": request.prompt,
        "aspect_ratio": GRID.name_for(request) if shaped else "match_input_image",
        "seed": seed_for(upstream_request),
        "output_format": FORMATS.get(request.output_format or ""),
        "num_outputs": several,
        "num_inference_steps": request.steps if inputs.steps_maximum else None,
        inputs.guidance: request.guidance if inputs.guidance else None,
        inputs.pictures: (pictures[0] if inputs.input_images == 1 else pictures) if pictures else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def seed_for(upstream_request: UpstreamRequest) -> int | None:
    """The caller's seed, or one by which this submission is told from every other."""
    key = upstream_request.idempotency_key
    if upstream_request.request.seed is not None or not key:
        return upstream_request.request.seed
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) & SEED_MAXIMUM


def told_seed(model_input: Mapping[str, Any]) -> int | None:
    """The seed to tell of the pictures: of several in one prediction it is the first one's only."""
    return None if "num_outputs" in model_input else model_input.get("seed")
