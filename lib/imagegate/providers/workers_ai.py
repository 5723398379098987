"""Cloudflare's Workers AI: a model is run, and the answer is the picture.

Contract: docs/protocols/workers-ai.md. Nothing is kept and there is no idempotency key: a submission whose answer is
lost is ambiguous.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization, fill_in
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import decoded, object_of

RUN = "/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/run/"
KEYS = {"CLOUDFLARE_API_TOKEN": "Bearer"}
RUN_SECONDS = 120.0
"""Seconds a run may take before it counts as silent; FLUX.2 [dev] is said to be slow."""
BODY_SECONDS = 120.0
"""For how long `Http` reads an answer once it has begun."""


SQUARE = Grid(minimum=1024, maximum=1024, step=1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFields:
    """What a family of models takes beyond the prompt."""

    grid: Grid = SQUARE
    """SQUARE where the model refuses `width` and `height`."""
    names: Mapping[Capability, str] = field(default_factory=dict)
    """Our optional fields, and what the model calls them."""
    steps_maximum: int | None = None
    multipart: bool = False
    """It takes no JSON, not even for a bare prompt."""


DIFFUSION: Mapping[Capability, str] = {
    "seed": "seed",
    "steps": "num_steps",
    "guidance": "guidance",
    "negative_prompt": "negative_prompt",
}
FLUX_2 = Grid(minimum=256, maximum=1920, step=16)
SIDES = Grid(minimum=256, maximum=2048, step=8)
MODELS: tuple[tuple[re.Pattern[str], ModelFields], ...] = (
    (re.compile(r"/flux-1-schnell\b"), ModelFields(names={"steps": "steps"}, steps_maximum=8)),
    (re.compile(r"/flux-2-klein-"), ModelFields(grid=FLUX_2, names={"seed": "seed"}, multipart=True)),
    (
        re.compile(r"/flux-2-"),
        ModelFields(
            grid=FLUX_2,
            names={"seed": "seed", "steps": "steps", "guidance": "guidance"},
            steps_maximum=50,
            multipart=True,
        ),
    ),
    (re.compile(r"/phoenix-"), ModelFields(grid=SIDES, names=DIFFUSION, steps_maximum=50)),
    (re.compile(r"/(stable-diffusion|dreamshaper)-"), ModelFields(grid=SIDES, names=DIFFUSION, steps_maximum=20)),
)
"""The first that fits (docs/protocols/workers-ai.md#models)."""
PLAIN = ModelFields()
"""Of a model that is not in MODELS."""

CODES = {
    3003: FailureCode.INVALID_REQUEST,
    3006: FailureCode.INVALID_REQUEST,
    3007: FailureCode.UPSTREAM_TIMEOUT,
    3008: FailureCode.UPSTREAM_TIMEOUT,
    3023: FailureCode.AUTH,
    3030: FailureCode.CONTENT_FILTERED,
    3036: FailureCode.NO_CREDIT,
    3040: FailureCode.CAPACITY,
    3041: FailureCode.AUTH,
    3042: FailureCode.NOT_FOUND,
    4006: FailureCode.NO_CREDIT,
    5004: FailureCode.INVALID_REQUEST,
    5005: FailureCode.NOT_FOUND,
    5007: FailureCode.NOT_FOUND,
    5016: FailureCode.AUTH,
    5018: FailureCode.AUTH,
    5019: FailureCode.NOT_FOUND,
    5028: FailureCode.NOT_FOUND,
    6003: FailureCode.AUTH,
    7003: FailureCode.AUTH,
    10000: FailureCode.AUTH,
}
"""By an error's `code`, which outranks the HTTP status (docs/protocols/workers-ai.md#errors)."""

_WRITTEN_CODE = re.compile(r"(?:AiError: )*(\d{4,5}):")
"""Some errors have their code at the beginning of the text."""


@dataclass(frozen=True, slots=True)
class WorkersAIConfig:
    """Nothing is set in models.toml; what differs is the model."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        fields = fields_of(model)
        return Limits(
            completion=CompletionMode.SYNC,
            grid=fields.grid,
            prompt_characters=2048,
            steps_maximum=fields.steps_maximum,
            submit_seconds=RUN_SECONDS + BODY_SECONDS,
            expected_seconds=5.0,
            requests_per_minute=720,
            capabilities=frozenset(fields.names),
        )


class WorkersAI:
    """The service, for one account."""

    config_type = WorkersAIConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: WorkersAIConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ready:
        """Run the model; the answer is the picture."""
        credentials = authorization(self.name, self._secrets, KEYS)
        url = f"{self.base_url}{fill_in(self.name, self._secrets, RUN)}{upstream_request.model}"
        response = self._http.send(build_run(url, credentials, upstream_request))
        seed = upstream_request.request.seed if "seed" in fields_of(upstream_request.model).names else None
        return Ready(bodies=(parse_picture(self.name, response),), seed=seed)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Never called: this protocol gives no tickets."""
        return Failed(Failure(FailureCode.NOT_FOUND, f"{self.name} has no jobs to ask about."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: there is no job to stop."""


def fields_of(model: str) -> ModelFields:
    """What the model takes."""
    return next((fields for pattern, fields in MODELS if pattern.search(model)), PLAIN)


def build_run(url: str, credentials: Mapping[str, str], upstream_request: UpstreamRequest) -> HttpRequest:
    """The request that runs the model, as a form or as JSON."""
    inputs = build_inputs(upstream_request)
    if not fields_of(upstream_request.model).multipart:
        return HttpRequest(method="POST", url=url, headers=credentials, json=inputs, timeout=RUN_SECONDS)
    form = {name: str(value) for name, value in inputs.items()}
    return HttpRequest(method="POST", url=url, headers=credentials, form=form, multipart=True, timeout=RUN_SECONDS)


def build_inputs(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The model's input; nothing is in it that the model does not take."""
    request, fields = upstream_request.request, fields_of(upstream_request.model)
    size = WorkersAIConfig().limits_for(upstream_request.model).size_for(request)
    sides = {"width": size.width, "height": size.height} if fields.grid is not SQUARE else {}
    options = {wire: getattr(request, name) for name, wire in fields.names.items()}
    return {"prompt": request.prompt, **sides, **{name: value for name, value in options.items() if value is not None}}


def parse_picture(name: str, response: HttpResponse) -> bytes:
    """The picture, which some models answer as bytes and some in JSON. Raises UpstreamError for any other answer."""
    if response.status == 200 and response.headers.get("content-type", "").startswith("image/"):
        return response.body
    document = object_of(response.body)
    if response.status != 200 or document.get("success") is False:
        raise parse_refusal(name, response, document)
    result = document.get("result")
    picture = decoded(result.get("image")) if isinstance(result, Mapping) else None
    if not picture:
        raise bad_payload(name, "without a picture")
    return picture


def parse_refusal(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    """The error of an answer that says no: by the code of the first error, else by its text or the HTTP status."""
    errors = document.get("errors")
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    text = str(error.get("message") or response.body.decode("utf-8", "replace"))
    failure = http_error(name, response, text).failure
    reported, written = error.get("code"), _WRITTEN_CODE.match(text)
    codes = (reported if type(reported) is int else 0, int(written[1]) if written else 0)
    code = next((CODES[code] for code in codes if code in CODES), None)
    if code is None and response.status in (400, 422):
        code = code_from_text(text)
    return UpstreamError(replace(failure, code=code or failure.code))
