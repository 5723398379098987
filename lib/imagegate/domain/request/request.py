"""The request of a caller, independent of its API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from imagegate.domain.request.geometry import Size


@dataclass(frozen=True, slots=True)
class Message:
    """A part of the prompt; `weight` says how much it counts (YandexART; negative = avoid)."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InputImage:
    """An input picture, kept in S3 until it is used."""

    key: str
    content_type: str

    @property
    def name(self) -> str:
        """The last part of its key, which is the same for the same picture."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A request for `n` pictures. `None` means the caller leaves it to the route."""

    model: str
    messages: tuple[Message, ...]
    n: int = 1
    size: Size | None = None
    """In pixels; when absent, `ratio` decides."""
    ratio: tuple[int, int] | None = None
    """Width to height, for callers that request an aspect ratio instead of a size."""
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None
    output_format: str | None = None
    """`png`, `jpeg` or `webp`; `None` keeps what the upstream made."""
    output_compression: int | None = None
    """0 to 100 for jpeg and webp."""
    quality: str | None = None
    style: str | None = None
    background: str | None = None
    moderation: str | None = None
    complexity: str | None = None
    input_fidelity: str | None = None
    frame_count: int | None = None
    """Of an animation."""
    frame_duration_ms: int | None = None
    svg: Mapping[str, Any] | None = None
    """OpenAI's object for vector graphics, as it came."""
    prompt_rewriter: bool | str | Mapping[str, Any] | None = None
    """Whether or how the upstream rewrites the prompt, as it came."""
    partial_images: int | None = None
    """Partial pictures to make of each picture, from 1; `None`: none."""
    inputs: tuple[InputImage, ...] = ()
    """Pictures to edit (with a prompt) or to vary (without)."""
    mask: InputImage | None = None
    provider: str | None = None
    """The only provider of the route that may be used."""
    lenient: bool = False
    """Report fields that an upstream cannot honour, instead of refusing the request."""
    private: bool = False
    """Do not keep the texts after the end, and ask upstreams not to log them where they have such an option."""
    routes: str | None = None
    """Version of the route table that the request was accepted with, which it keeps. `None`: the one in force."""
    unused_fields: tuple[str, ...] = ()
    """Further fields of the request that have no effect, by the caller's names; the answer names them."""
    expand: bool = False
    """Expand the prompt with a language model before pictures are made."""

    @property
    def prompt(self) -> str:
        """The messages of positive weight as one text, the heaviest first, for upstreams that take a single prompt."""
        wanted = sorted(
            (message for message in self.messages if message.weight > 0), key=lambda message: -message.weight
        )
        return "\n".join(attempt.text for attempt in wanted)

    @property
    def text_to_avoid(self) -> str:
        """The messages of negative weight, for upstreams that take a negative prompt."""
        return "\n".join(message.text for message in self.messages if message.weight < 0)

    @property
    def pictures_sent(self) -> tuple[InputImage, ...]:
        """The input pictures and the mask."""
        return (*self.inputs, self.mask) if self.mask else self.inputs

    def with_prompt(self, prompt: str) -> Self:
        """The same request with another prompt; messages of negative weight stay."""
        return replace(self, messages=(Message(prompt), *(message for message in self.messages if message.weight < 0)))

    def redacted(self) -> "ImageRequest":
        """The request without its texts."""
        return replace(self, messages=(), negative_prompt=None)
