"""The keys of a routes file, and what each may be; docs/routes.md and its JSON Schema are made from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from imagegate.providers.config import Bounds, Matches


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKeys:
    """Keys of `[providers.NAME]` for every protocol."""

    protocol: str
    """How the provider is spoken to. A provider that imagegate brings keeps its own."""
    base_url: str
    """Where the provider is, `https://host/path`. `http://` and private addresses need `private_network`."""
    enabled: bool = True
    """`false` takes the provider off every route."""
    private_network: bool = False
    """Allows this provider `http://` and addresses that are not on the public internet, such as 127.0.0.1."""
    picture_hosts: tuple[str, ...] = ()
    """Further hosts that its pictures may be fetched from; without it every public host, by https."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDefaults:
    """Keys of `[models.NAME.defaults]`: what a request gets that leaves them out."""

    size: Annotated[str, Matches(r"[1-9]\d{0,4}x[1-9]\d{0,4}", "width and height in pixels, as 1024x1024")] = ""
    """`1024x1024`: width and height in pixels. Not for requests that name a ratio."""
    quality: str = ""
    """As in OpenAI's API."""
    style: str = ""
    """As in OpenAI's API."""
    background: str = ""
    """As in OpenAI's API."""
    moderation: str = ""
    """As in OpenAI's API."""
    steps: Annotated[int, Bounds(1, 500)] = 0
    """Sampling steps."""
    guidance: Annotated[float, Bounds(0, 100)] = 0.0
    """Guidance scale."""
    negative_prompt: str = ""
    """What the picture should not show."""
    output_format: Literal["png", "jpeg", "webp"] = "png"
    """The format of the picture."""
    output_compression: Annotated[int, Bounds(0, 100)] = 0
    """For jpeg and webp."""
    expand: bool = False
    """Whether a language model writes the prompt out, where the deployment has one."""


Price = Annotated[float, Bounds(0, 1000)]
PRICES = ("prices_usd", "megapixel_prices_usd")
"""Keys of a model that are prices by provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKeys:
    """Keys of `[models.NAME]`."""

    route: tuple[str, ...]
    """`provider/model`, in the order in which they are tried: a provider's name, a slash, and its own model's name.

    The model `*` is the name that the request has.
    """
    aliases: tuple[str, ...] = ()
    """Further names of the model; one that ends in `*` covers every name that begins so."""
    description: str = ""
    """What `GET /v1/models` says of it."""
    prices_usd: Mapping[str, Price] = field(default_factory=dict)
    """Price of a picture in US dollars by provider, for budgets and for `imagegate models`."""
    megapixel_prices_usd: Mapping[str, Price] = field(default_factory=dict)
    """Price of each further megapixel (1024x1024 pixels) that a picture begins after its first, by provider."""
    enabled: bool = True
    """`false` removes the model."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """What a request gets that leaves it out; the keys are below."""


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys at the top of the file."""

    builtins: bool = True
    """`false` leaves out every model and provider that imagegate brings."""
    providers: Mapping[str, str] = field(default_factory=dict)
    """Providers, by name."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Models, by name."""
