"""Replicate: a prediction is created, then asked about until it has ended. Also Replicate behind Hugging Face's router.

Contract: docs/protocols/replicate.md. Replicate knows no idempotency key. Every submission therefore has a seed of its
own, the caller's or one made from the submission's key, by which a lost one is found in the list of predictions.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, data_url, id_of, object_of
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
    """The field of the pictures to work from; empty: it takes none."""
    input_images: int = 0


MODELS: tuple[tuple[re.Pattern[str], ModelInputs], ...] = (
    (re.compile(r"/flux-schnell\b"), ModelInputs(images_per_call=4, steps_maximum=4)),
    (re.compile(r"/flux-dev\b"), ModelInputs(images_per_call=4, steps_maximum=50, guidance="guidance")),
    (re.compile(r"/flux-2-"), ModelInputs(pictures="input_images", input_images=8)),
    (re.compile(r"/flux-kontext-"), ModelInputs(pictures="input_image", input_images=1)),
)
PLAIN = ModelInputs()
"""Of a model that is not in MODELS."""

_FLAGGED = re.compile(r"flagged as sensitive|\bE005\b", re.IGNORECASE)
_NO_SUCH_VERSION = re.compile(r"version.*(not exist|not permitted)|invalid version", re.IGNORECASE)
_RESETS_IN = re.compile(r"resets in ~?(\d{1,4})s")
_ENDS = {
    "failed": FailureCode.UPSTREAM_FAILED,
    "canceled": FailureCode.UPSTREAM_FAILED,
    "aborted": FailureCode.UPSTREAM_TIMEOUT,
}
"""States that are ends without a picture; an aborted prediction was never begun."""


@dataclass(frozen=True, slots=True)
class ReplicateConfig:
    """Replicate itself, or a router in front of it; each field is a key of its `[providers.NAME]`."""

    keys: Mapping[str, str] = field(default_factory=lambda: {"REPLICATE_API_TOKEN": "Bearer"})
    """Secret to Authorization scheme, best first."""
    lists: bool = True
    """Whether the account's predictions can be listed, which finds a lost one."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        inputs = inputs_of(model)
        optional: dict[Capability, object] = {"steps": inputs.steps_maximum, "guidance": inputs.guidance}
        return Limits(
            completion=CompletionMode.POLL,
            grid=GRID,
            prompt_characters=4000,
            images_per_call=inputs.images_per_call,
            seed_maximum=SEED_MAXIMUM,
            steps_maximum=inputs.steps_maximum,
            retention_seconds=3600.0,
            expected_seconds=5.0,
            requests_per_minute=600,
            input_images=inputs.input_images,
            capabilities=frozenset({"seed", *(name for name, taken in optional.items() if taken)}),
        )


class Replicate:
    """One way to Replicate."""

    config_type = ReplicateConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: ReplicateConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Create a prediction, or find the one that an earlier try at this submission created."""
        path, body = build_prediction(upstream_request)
        if upstream_request.repeated and (found := self._find(body)):
            return found
        try:
            return parse_created(self.name, self._send("POST", path, body), told_seed(body["input"]))
        except UpstreamError as error:
            if error.failure.code is FailureCode.AMBIGUOUS and (found := self._find(body)):
                return found
            raise

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once; a prediction that is gone has expired."""
        response = self._send("GET", f"/predictions/{ticket.data['id']}")
        if response.status == 404:
            return Failed(Failure(FailureCode.EXPIRED, f"{self.name} no longer knows the prediction."))
        return parse_prediction(self.name, self.base_url, response, ticket.data.get("seed"))

    def cancel(self, ticket: Ticket) -> None:
        """Ask it to stop; what has run until then is charged (docs/protocols/replicate.md#cancelling)."""
        try:
            self._send("POST", f"/predictions/{ticket.data['id']}/cancel")
        except UpstreamError:
            return

    def _find(self, body: Mapping[str, Any]) -> Ticket | None:
        """The prediction that was created with this input, if it can be found."""
        seed = body["input"].get("seed")
        if seed is None or not self._config.lists:
            return None
        try:
            return parse_list(self._send("GET", "/predictions"), body["input"])
        except UpstreamError:
            return None

    def _send(self, method: str, path: str, body: Any = None) -> HttpResponse:
        credentials = authorization(self.name, self._secrets, self._config.keys)
        return self._http.send(HttpRequest(method, f"{self.base_url}{path}", credentials, body))


def inputs_of(model: str) -> ModelInputs:
    """What the model takes."""
    return next((inputs for pattern, inputs in MODELS if pattern.search(f"/{model}")), PLAIN)


def build_prediction(upstream_request: UpstreamRequest) -> tuple[str, dict[str, Any]]:
    """Path and body of the submission; a model named `owner/name:version` is asked for by its version."""
    model, _, version = upstream_request.model.partition(":")
    body = {"input": build_input(upstream_request)}
    return ("/predictions", body | {"version": version}) if version else (f"/models/{model}/predictions", body)


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


def parse_created(name: str, response: HttpResponse, seed: int | None) -> Ticket:
    """The ticket of a created prediction. Raises UpstreamError for any other answer."""
    if response.status not in (200, 201, 202):
        raise parse_refusal(name, response)
    prediction_id = id_of(object_of(response.body).get("id"))
    if not prediction_id:
        raise bad_payload(name, "without a prediction id")
    return Ticket({"id": prediction_id, "seed": seed})


def parse_list(response: HttpResponse, wanted: Mapping[str, Any]) -> Ticket | None:
    """The newest prediction of a list that has this input."""
    results = object_of(response.body).get("results")
    for prediction in results if isinstance(results, list) else ():
        told = prediction.get("input") if isinstance(prediction, Mapping) else None
        same = isinstance(told, Mapping) and all(told.get(key) == wanted[key] for key in ("prompt", "seed"))
        if same and (prediction_id := id_of(prediction.get("id"))):
            return Ticket({"id": prediction_id, "seed": told_seed(wanted)})
    return None


def parse_prediction(name: str, base_url: str, response: HttpResponse, seed: int | None) -> Check:
    """Where a prediction stands. Raises UpstreamError for what is no prediction."""
    document = object_of(response.body)
    if response.status != 200:
        raise parse_refusal(name, response)
    if not document:
        raise bad_payload(name, "something that is no prediction")
    status = document.get("status")
    if status == "succeeded":
        return _parse_output(name, base_url, document, seed)
    if isinstance(status, str) and status in _ENDS:
        return Failed(_parse_failure(name, status, document.get("error")))
    return Pending()


def parse_refusal(name: str, response: HttpResponse) -> UpstreamError:
    """The error of an HTTP status that says no; how long a throttled caller has to wait is only in its text."""
    document = object_of(response.body)
    text = str(document.get("detail") or document.get("error") or response.body.decode("utf-8", "replace"))
    failure = http_error(name, response, text).failure
    if response.status == 429 and failure.retry_after is None and (pause := _RESETS_IN.search(text)):
        failure = replace(failure, retry_after=float(pause[1]))
    if response.status == 422 and _NO_SUCH_VERSION.search(text):
        failure = replace(failure, code=FailureCode.NOT_FOUND)
    return UpstreamError(failure)


def _parse_output(name: str, base_url: str, document: Mapping[str, Any], seed: int | None) -> Check:
    if document.get("data_removed") is True:
        return Failed(Failure(FailureCode.EXPIRED, f"{name} has removed the prediction's output."))
    sources = tuple(_sources(document.get("output"), base_url))
    return Ready(sources, seed=seed) if sources else Failed(bad_payload(name, "a success without a picture").failure)


def _sources(output: Any, base_url: str) -> Iterator[Source]:
    for told in output if isinstance(output, list) else [output]:
        if address := address_of(told, f"{base_url}/"):
            yield Source(address)


def _parse_failure(name: str, status: str, error: Any) -> Failure:
    text = strip_html(str(error or "")) or f"the prediction was {status}"
    code = FailureCode.CONTENT_FILTERED if _FLAGGED.search(text) else code_from_text(text)
    filtered = status == "failed" and code is FailureCode.CONTENT_FILTERED
    return Failure(FailureCode.CONTENT_FILTERED if filtered else _ENDS[status], f"{name}: {text}")
