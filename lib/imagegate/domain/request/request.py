"""What a caller asks for, independent of the API it was asked through."""

from dataclasses import dataclass, replace
from typing import Self

from imagegate.domain.request.geometry import Size


@dataclass(frozen=True, slots=True)
class Message:
    """A part of the prompt; `weight` says how much it counts (YandexART; negative = avoid)."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InputImage:
    """A picture the caller sent along, kept in S3 until it is used."""

    key: str
    content_type: str

    @property
    def name(self) -> str:
        """The last part of its key, which is the same for the same picture."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A request for `n` pictures. `None` means the caller leaves it to the route."""

    model: str
    messages: tuple[Message, ...]
    n: int = 1
    size: Size | None = None
    """Pixels asked for; when absent, `ratio` decides."""
    ratio: tuple[int, int] | None = None
    """Width to height, for callers who ask for a shape instead of pixels."""
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
    inputs: tuple[InputImage, ...] = ()
    """Pictures to edit (with a prompt) or to vary (without)."""
    mask: InputImage | None = None
    provider: str | None = None
    """The one provider of the route the caller insists on."""
    lenient: bool = False
    """What an upstream cannot honour is told to the caller, where others are refused for it."""
    private: bool = False
    """The words are not kept beyond the run, and upstreams that can be told so are told not to log them."""
    unused_fields: tuple[str, ...] = ()
    """What the request had besides that has no effect here, as the caller calls it; the answer names it."""
    expand: bool = False
    """Have a language model write the prompt out before pictures are made from it."""

    @property
    def prompt(self) -> str:
        """The messages as one text, for upstreams that take a single prompt: the weightiest first, none to avoid."""
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
        """The pictures that came along, with the mask."""
        return (*self.inputs, self.mask) if self.mask else self.inputs

    def with_prompt(self, prompt: str) -> Self:
        """The same request with another prompt; what is to be avoided stays."""
        return replace(self, messages=(Message(prompt), *(message for message in self.messages if message.weight < 0)))

    def redacted(self) -> "ImageRequest":
        """The request without its words."""
        return replace(self, messages=(), negative_prompt=None)
