"""Stability AI's Stable Image and Stable Diffusion 3.5: a form goes out, and the answer is the picture.

Contract: docs/protocols/stability.md. There is no job, no list and no idempotency key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import decoded, object_of
from imagegate.providers.sizes import ShapeTable

KEYS = {"STABILITY_API_KEY": "Bearer"}
DRAWING_SECONDS = 120.0
BODY_SECONDS = 120.0
"""For how long `Http` reads an answer once it has begun."""
BAN_SECONDS = 60.0
"""How long an account that asked too often is refused (docs/protocols/stability.md#errors)."""

MEGAPIXEL = ShapeTable(
    minimum=640,
    maximum=1536,
    step=64,
    shapes=(
        ((1, 1), Size(1024, 1024)),
        ((21, 9), Size(1536, 640)),
        ((16, 9), Size(1344, 768)),
        ((3, 2), Size(1216, 832)),
        ((5, 4), Size(1088, 896)),
        ((4, 5), Size(896, 1088)),
        ((2, 3), Size(832, 1216)),
        ((9, 16), Size(768, 1344)),
        ((9, 21), Size(640, 1536)),
    ),
)
LARGER = ShapeTable(
    minimum=832,
    maximum=1920,
    step=64,
    shapes=(
        ((1, 1), Size(1280, 1280)),
        ((21, 9), Size(1920, 832)),
        ((16, 9), Size(1664, 960)),
        ((3, 2), Size(1536, 1024)),
        ((5, 4), Size(1408, 1152)),
        ((4, 5), Size(1152, 1408)),
        ((2, 3), Size(1024, 1536)),
        ((9, 16), Size(960, 1664)),
        ((9, 21), Size(832, 1920)),
    ),
)
"""Of Core, which makes 1.5 megapixels. The pixels are to be expected; none are promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFields:
    """How a model is asked, and what it takes beyond prompt, aspect ratio, seed and format."""

    path: str = "sd3"
    """The last part of its address; the models of `sd3` have a field of their own for their name."""
    grid: ShapeTable = MEGAPIXEL
    formats: tuple[str, ...] = ("png", "jpeg")
    optional: Mapping[Capability, str]
    """Our field to the model's."""


MODELS = {
    "core": ModelFields(
        path="core", grid=LARGER, formats=("png", "jpeg", "webp"), optional={"negative_prompt": "negative_prompt"}
    ),
    "ultra": ModelFields(
        path="ultra", formats=("png", "jpeg", "webp"), optional={"negative_prompt": "negative_prompt"}
    ),
    "sd3.5-large-turbo": ModelFields(optional={"guidance": "cfg_scale"}),
    "sd3.5-flash": ModelFields(optional={"guidance": "cfg_scale"}),
}
DIFFUSION = ModelFields(optional={"negative_prompt": "negative_prompt", "guidance": "cfg_scale"})
"""Of any other model: sd3.5-large, sd3.5-medium."""


@dataclass(frozen=True, slots=True)
class StabilityConfig:
    """Nothing is set in models.toml; what differs is the model."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        fields = MODELS.get(model, DIFFUSION)
        return Limits(
            completion=CompletionMode.SYNC,
            grid=fields.grid,
            prompt_characters=10_000,
            seed_maximum=2**32 - 2,
            submit_seconds=DRAWING_SECONDS + BODY_SECONDS,
            expected_seconds=8.0,
            requests_per_minute=900,
            capabilities=frozenset({"seed", *fields.optional}),
        )


class Stability:
    """The service."""

    config_type = StabilityConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: StabilityConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ready:
        """Ask for the picture, which is the answer."""
        credentials = authorization(self.name, self._secrets, KEYS)
        request = HttpRequest(
            method="POST",
            url=f"{self.base_url}/{MODELS.get(upstream_request.model, DIFFUSION).path}",
            headers={**credentials, "accept": "application/json"},
            form=build_form(upstream_request),
            multipart=True,
            timeout=DRAWING_SECONDS,
        )
        return parse_answer(self.name, self._http.send(request), upstream_request.request.seed)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Never called: this protocol gives no tickets."""
        return Failed(Failure(FailureCode.NOT_FOUND, f"{self.name} has no jobs to ask about."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: there is no job to stop."""


def build_form(upstream_request: UpstreamRequest) -> dict[str, str]:
    """The form (docs/protocols/stability.md#drawing)."""
    request, model = upstream_request.request, upstream_request.model
    fields = MODELS.get(model, DIFFUSION)
    options = {wire: getattr(request, name) for name, wire in fields.optional.items()}
    form = {
        "prompt": request.prompt,
        "model": model if fields.path == "sd3" else None,
        "aspect_ratio": fields.grid.name_for(request),
        "seed": request.seed,
        "output_format": request.output_format if request.output_format in fields.formats else "png",
        **options,
    }
    return {name: str(value) for name, value in form.items() if value is not None}


def parse_answer(name: str, response: HttpResponse, seed: int | None) -> Ready:
    """The picture; `seed` is the one sent, which the answer repeats or chooses. Raises UpstreamError for a refusal."""
    document = object_of(response.body)
    if response.status != 200:
        raise parse_refusal(name, response, document)
    reason = document.get("finish_reason", "SUCCESS")
    if reason == "CONTENT_FILTERED":
        raise UpstreamError(Failure(FailureCode.CONTENT_FILTERED, f"{name} blurred the picture: it was refused."))
    if reason != "SUCCESS":
        raise UpstreamError(Failure(FailureCode.UPSTREAM_FAILED, f"{name} ended with {reason}."))
    picture = decoded(document.get("image"))
    if not picture:
        raise bad_payload(name, "without a picture")
    reported = document.get("seed")
    return Ready(bodies=(picture,), seed=reported if type(reported) is int and reported > 0 else seed)


def parse_refusal(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    """The error of an answer that says no."""
    reported = document.get("errors")
    reasons = "; ".join(map(str, reported)) if isinstance(reported, list) else ""
    text = ": ".join(str(part) for part in (document.get("name"), reasons) if part)
    failure = http_error(name, response, text or response.body.decode("utf-8", "replace")).failure
    if document.get("name") == "content_moderation":
        failure = replace(failure, code=FailureCode.CONTENT_FILTERED)
    if failure.code is FailureCode.RATE_LIMITED and failure.retry_after is None:
        failure = replace(failure, retry_after=BAN_SECONDS)
    return UpstreamError(failure)
