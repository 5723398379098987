"""How one OpenAI-compatible server differs from another: keys of models.toml, no code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.providers.config import (
    Bounds,
    Count,
    ExpectedSeconds,
    HeaderName,
    HeaderValue,
    Matches,
    Positive,
    Scheme,
    SecretName,
)
from imagegate.providers.sizes import BoundedGrid, ShapeGrid, ShapeTable

WIRE_NAMES = {"steps": "num_inference_steps", "guidance": "guidance_scale"}
"""What OpenAI-compatible servers call our fields, unless `names` says otherwise
(docs/protocols/openai-images.md#generations)."""


BODY_SECONDS = 120.0
"""For how long `Http` reads an answer once it has begun."""


Field = Literal[Capability, "output_format", "output_compression"]
ModelName = Annotated[
    str,
    Matches(
        r"(?:[^{}\s]|\{model\}|\{[A-Z][A-Z0-9_]*\})+", "a name without blanks, with {model} or {SECRET_NAME} in braces"
    ),
]
ShapeRatio = Annotated[str, Matches(r"[1-9]\d{0,3}:[1-9]\d{0,3}", "a ratio, such as 16:9")]
ShapeSize = Annotated[str, Matches(r"[1-9]\d{0,4}x[1-9]\d{0,4}", "pixels, such as 1344x768")]
TaskPath = Annotated[str, Matches(r"/[^\s?#{}]*\{id\}[^\s#{}]*", "a path with {id} in it, such as /tasks/{id}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatConfig:
    """How one server differs; each field is a key of its `[providers.NAME]`."""

    keys: Mapping[SecretName, Scheme] = field(default_factory=dict)
    """Secret to Authorization scheme, best first; empty for a server without keys."""
    headers: Mapping[HeaderName, HeaderValue] = field(default_factory=dict)
    """Further headers; `{SECRET_NAME}` stands for a secret's value."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Query parameters of every call."""
    private_headers: Mapping[HeaderName, HeaderValue] = field(default_factory=dict)
    """Headers that ask the server not to log the prompt, for callers who want that."""
    model: ModelName = "{model}"
    """How the route's model name is sent; `{SECRET_NAME}` as above. A name with `://` in it goes as it is."""
    takes: tuple[Field, ...] = ()
    """Optional fields of `ImageRequest` that the server honours."""
    names: Mapping[Field, str] = field(default_factory=dict)
    """The server's name of such a field, where it is neither ours nor in WIRE_NAMES."""
    response_format: str = "b64_json"
    """The value of `response_format` that asks for bytes; empty: it is not sent, as it never is to ids of gpt-image."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further fields of the body, with their values."""
    size: Literal["pixels", "ratio", "sides", "shape", "aspect_ratio"] = "pixels"
    """`size` as WxH in pixels, `size` as W x H in proportion, the fields `width` and `height`, or one of `shapes`: as
    `size` or as `aspect_ratio`."""
    shapes: Mapping[ShapeRatio, ShapeSize] = field(default_factory=dict)
    """The aspect ratios (`16:9`) it takes, and the pixels (`1344x768`) to expect for each."""
    auto_size: bool = False
    """Whether no size is sent when the caller gave none."""
    side_minimum: Positive = 256
    """Pixels."""
    side_maximum: Positive = 2048
    """Pixels."""
    side_step: Positive = 16
    """Pixels that both sides are multiples of."""
    area_minimum: Positive = 1
    """Pixels."""
    area_maximum: Positive = 2**62
    """Pixels."""
    ratio_maximum: Positive = 2**31
    """Longer side to shorter side."""
    prompt_characters: Positive = 4000
    """The longest prompt."""
    images_per_call: Positive = 1
    """More than 1 only where the server takes `n`."""
    seed_maximum: Positive = 2**31 - 1
    """The largest seed; larger ones are brought into the range."""
    steps_maximum: Positive = 50
    """The most steps."""
    input_images: Count = 0
    """Pictures that `/images/edits` takes; 0: there is no such path."""
    edits: Literal["form", "json"] = "form"
    """How `/images/edits` takes the pictures: as OpenAI's form, or as JSON with data URLs (xAI)."""
    masks: bool = True
    """Whether edits take a mask. Edits as JSON take none."""
    variations: bool = False
    """Whether there is `/images/variations`."""
    empty_is_refusal: bool = False
    """Whether an answer without any picture is how it refuses a prompt."""
    tasks: TaskPath = "/tasks/{id}"
    """Where a task is asked for, below `base_url`, at a server that answers with its id and no address."""
    timeout: Annotated[float, Bounds(1, 720)] = 240.0
    """Seconds the server may take; OpenAI needs up to two minutes (docs/protocols/providers.md#openai)."""
    expected_seconds: ExpectedSeconds = 20.0
    """How long it usually takes."""
    requests_per_minute: Count = 0
    """How many submissions it takes; 0: no limit is known."""

    def contradiction(self) -> tuple[str, str] | None:
        """The key that contradicts another, and what is wrong with it."""
        if self.size in ("shape", "aspect_ratio"):
            return None if self.shapes else ("size", f"has size = '{self.size}', which needs shapes")
        if self.side_maximum < self.side_minimum:
            return "side_maximum", f"has side_maximum = {self.side_maximum}, below its side_minimum {self.side_minimum}"
        if self.side_maximum // self.side_step * self.side_step < self.side_minimum:
            sides = f"{self.side_minimum} to {self.side_maximum}"
            return "side_step", f"has side_step = {self.side_step}, of which no multiple is from {sides}"
        if self.area_maximum < max(self.area_minimum, self.side_minimum**2):
            least = max(self.area_minimum, self.side_minimum**2)
            return "area_maximum", f"has area_maximum = {self.area_maximum}; the smallest picture has {least} pixels"
        return None

    @property
    def limits(self) -> Limits:
        """The same as the limits of a provider."""
        return Limits(
            completion=CompletionMode.SYNC,
            grid=self.grid,
            prompt_characters=self.prompt_characters,
            images_per_call=self.images_per_call,
            seed_maximum=self.seed_maximum,
            steps_maximum=self.steps_maximum if "steps" in self.takes else None,
            submit_seconds=self.timeout + BODY_SECONDS,
            expected_seconds=self.expected_seconds,
            requests_per_minute=self.requests_per_minute or None,
            input_images=self.input_images,
            supports_masks=self.masks and self.edits == "form" and self.input_images > 0,
            supports_variations=self.variations,
            compresses={"output_format", "output_compression"} <= set(self.takes),
            capabilities=frozenset(get_args(Capability)).intersection(self.takes),
        )

    @property
    def grid(self) -> Grid:
        """The sizes the server makes."""
        sides = (self.side_minimum, self.side_maximum, self.side_step)
        if self.size == "ratio":
            return ShapeGrid(*sides)
        if self.size in ("shape", "aspect_ratio"):
            return self.shape_table
        return BoundedGrid(*sides, self.area_minimum, self.area_maximum, self.ratio_maximum)

    @property
    def shape_table(self) -> ShapeTable:
        """`shapes` as a grid."""
        pairs = {_pair(ratio, ":"): Size(*_pair(size, "x")) for ratio, size in self.shapes.items()}
        sides = [side for size in pairs.values() for side in (size.width, size.height)]
        return ShapeTable(min(sides), max(sides), 1, tuple(pairs.items()))

    def options(self, request: ImageRequest) -> dict[str, Any]:
        """The optional fields of `request` that the server honours and the caller set, by their names on the wire."""
        set_ = {name: getattr(request, name) for name in self.takes if getattr(request, name) is not None}
        return {self.names.get(name, WIRE_NAMES.get(name, name)): value for name, value in set_.items()}


def _pair(text: str, separator: str) -> tuple[int, int]:
    first, _, second = text.partition(separator)
    return int(first), int(second)
