"""What the models on fal take (docs/protocols/fal.md#inputs)."""

import re
from dataclasses import dataclass
from typing import Any

from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.geometry import Grid, Size
from imagegate.providers.parsing import data_url
from imagegate.providers.sizes import ShapeTable

PIXELS = Grid(minimum=512, maximum=2048, step=16)
RATIOS = ShapeTable(
    minimum=672,
    maximum=1568,
    step=16,
    shapes=(
        ((1, 1), Size(1024, 1024)),
        ((21, 9), Size(1568, 672)),
        ((16, 9), Size(1392, 752)),
        ((4, 3), Size(1184, 880)),
        ((3, 2), Size(1248, 832)),
        ((2, 3), Size(832, 1248)),
        ((3, 4), Size(880, 1184)),
        ((9, 16), Size(752, 1392)),
        ((9, 21), Size(672, 1568)),
    ),
)
GROK_RATIOS = ShapeTable(
    minimum=688,
    maximum=1520,
    step=8,
    shapes=(
        ((1, 1), Size(1024, 1024)),
        ((4, 3), Size(1184, 880)),
        ((3, 4), Size(880, 1184)),
        ((16, 9), Size(1360, 768)),
        ((9, 16), Size(768, 1360)),
        ((3, 2), Size(1248, 832)),
        ((2, 3), Size(832, 1248)),
        ((20, 9), Size(1520, 688)),
        ((9, 20), Size(688, 1520)),
        ((2, 1), Size(1456, 720)),
        ((1, 2), Size(720, 1456)),
    ),
)
"""xAI publishes no pixels for them; about a megapixel is assumed."""
FORMATS = {"png": "png", "jpeg": "jpeg", "webp": "png"}
"""Our formats in the words that every model knows; WebP is made of PNG, which loses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInputs:
    """What a family of models takes beyond prompt, shape, seed and format."""

    ratios: ShapeTable | None = None
    """The values of `aspect_ratio`; `None`: it takes `image_size` in pixels."""
    seed: bool = True
    images_per_call: int = 1
    steps_maximum: int | None = None
    guidance: bool = False
    pictures: str = ""
    """The field of the input pictures; empty: it takes none."""
    input_images: int = 0
    edit_path: str = ""
    """What follows the model's name in the path of a request with pictures ..."""
    text_path: str = ""
    """... and of one without."""

    @property
    def grid(self) -> Grid:
        """The sizes the models make."""
        return self.ratios or PIXELS


EDITS: dict[str, Any] = {"pictures": "image_urls", "input_images": 4, "edit_path": "/edit"}
"""The models of FLUX.2 alike."""

MODELS: tuple[tuple[re.Pattern[str], ModelInputs], ...] = (
    (re.compile(r"/flux/schnell$"), ModelInputs(images_per_call=4, steps_maximum=4)),
    (re.compile(r"/flux/dev$"), ModelInputs(images_per_call=4, steps_maximum=50, guidance=True)),
    (re.compile(r"/flux-2-(pro|max)$"), ModelInputs(**EDITS)),
    (re.compile(r"/flux-2-flex$"), ModelInputs(steps_maximum=50, guidance=True, **EDITS)),
    (re.compile(r"/flux-2$"), ModelInputs(images_per_call=4, steps_maximum=50, guidance=True, **EDITS)),
    (re.compile(r"/flux-2/klein/(4b|9b)$"), ModelInputs(images_per_call=4, **EDITS)),
    (
        re.compile(r"/flux-pro/kontext(/max)?$"),
        ModelInputs(ratios=RATIOS, guidance=True, pictures="image_url", input_images=1, text_path="/text-to-image"),
    ),
    (
        re.compile(r"^xai/grok-imagine-image(/v2\.0/text-to-image)?$"),
        ModelInputs(ratios=GROK_RATIOS, seed=False, images_per_call=4),
    ),
)
PLAIN = ModelInputs()
"""Of a model that is not in MODELS."""


def inputs_of(model: str) -> ModelInputs:
    """What the model takes."""
    return next((inputs for pattern, inputs in MODELS if pattern.search(model)), PLAIN)


def path_of(upstream_request: UpstreamRequest) -> str:
    """Where the submission goes: some models have a path of their own for input pictures, or for none."""
    inputs = inputs_of(upstream_request.model)
    return f"/{upstream_request.model}{inputs.edit_path if upstream_request.inputs else inputs.text_path}"


def build_input(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The model's input; nothing is in it that the model does not take."""
    request, inputs = upstream_request.request, inputs_of(upstream_request.model)
    pictures = [data_url(picture) for picture in upstream_request.inputs[: inputs.input_images]]
    several = upstream_request.count if inputs.images_per_call > 1 and upstream_request.count > 1 else None
    fields = {
        "prompt": request.prompt,
        **(_shape(upstream_request, inputs) if request.size or request.ratio or not pictures else {}),
        "seed": request.seed if inputs.seed else None,
        "output_format": FORMATS.get(request.output_format or ""),
        "num_images": several,
        "num_inference_steps": request.steps if inputs.steps_maximum else None,
        "guidance_scale": request.guidance if inputs.guidance else None,
        inputs.pictures: (pictures[0] if inputs.input_images == 1 else pictures) if pictures else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _shape(upstream_request: UpstreamRequest, inputs: ModelInputs) -> dict[str, Any]:
    request = upstream_request.request
    if inputs.ratios:
        return {"aspect_ratio": inputs.ratios.name_for(request)}
    size = PIXELS.nearest(request.size) if request.size else PIXELS.of_ratio(*(request.ratio or (1, 1)))
    return {"image_size": {"width": size.width, "height": size.height}}
