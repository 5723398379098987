"""Replicate: a prediction is created, then asked about until it has ended. Also Replicate behind Hugging Face's router.

Contract: docs/protocols/replicate.md. Replicate knows no idempotency key. Every submission therefore has a seed of its
own, the caller's or one made from the submission's key, by which a lost one is found in the list of predictions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.config import Scheme, SecretName
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, id_of, object_of
from imagegate.providers.replicate_models import GRID, SEED_MAXIMUM, build_input, inputs_of, told_seed

SUBMIT_SECONDS = 75.0
"""A submission that is not answered for 30 seconds, and the search for it."""

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

    keys: Mapping[SecretName, Scheme] = field(default_factory=lambda: {"REPLICATE_API_TOKEN": "Bearer"})
    """Secret to Authorization scheme, best first."""
    lists: bool = True
    """Whether the account's predictions can be listed, which finds a lost one. A router does neither this nor
    webhooks."""

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
            submit_seconds=SUBMIT_SECONDS,
            retention_seconds=3600.0,
            expected_seconds=5.0,
            requests_per_minute=600,
            input_images=inputs.input_images,
            recovers_submissions=self.lists,
            calls_hooks=self.lists,
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
            if error.failure.code is FailureCode.AMBIGUOUS and (found := self._find_if_listed(body)):
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
        """The prediction that was created with this input. Raises UpstreamError when the list cannot be read."""
        seed = body["input"].get("seed")
        if seed is None or not self._config.lists:
            return None
        response = self._send("GET", "/predictions")
        if response.status != 200:
            raise parse_refusal(self.name, response)
        return parse_list(response, body["input"])

    def _find_if_listed(self, body: Mapping[str, Any]) -> Ticket | None:
        try:
            return self._find(body)
        except UpstreamError:
            return None

    def _send(self, method: str, path: str, body: Any = None) -> HttpResponse:
        credentials = authorization(self.name, self._secrets, self._config.keys)
        return self._http.send(HttpRequest(method=method, url=f"{self.base_url}{path}", headers=credentials, json=body))


def build_prediction(upstream_request: UpstreamRequest) -> tuple[str, dict[str, Any]]:
    """Path and body of the submission; a model named `owner/name:version` is asked for by its version."""
    model, _, version = upstream_request.model.partition(":")
    body: dict[str, Any] = {"input": build_input(upstream_request)}
    if upstream_request.hook_url:
        body |= {"webhook": upstream_request.hook_url, "webhook_events_filter": ["completed"]}
    return ("/predictions", body | {"version": version}) if version else (f"/models/{model}/predictions", body)


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
        reported = prediction.get("input") if isinstance(prediction, Mapping) else None
        same = isinstance(reported, Mapping) and all(reported.get(key) == wanted[key] for key in ("prompt", "seed"))
        if same and (prediction_id := id_of(prediction.get("id"))):
            return Ticket({"id": prediction_id, "seed": told_seed(wanted)})
    return None


def parse_prediction(name: str, base_url: str, response: HttpResponse, seed: int | None) -> Check:
    """Where a prediction stands. Raises UpstreamError when the answer is not a prediction."""
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
    return (
        Ready(sources=sources, seed=seed)
        if sources
        else Failed(bad_payload(name, "a success without a picture").failure)
    )


def _sources(output: Any, base_url: str) -> Iterator[Source]:
    for reported in output if isinstance(output, list) else [output]:
        if address := address_of(reported, f"{base_url}/"):
            yield Source(address)


def _parse_failure(name: str, status: str, error: Any) -> Failure:
    text = strip_html(str(error or "")) or f"the prediction was {status}"
    code = FailureCode.CONTENT_FILTERED if _FLAGGED.search(text) else code_from_text(text)
    filtered = status == "failed" and code is FailureCode.CONTENT_FILTERED
    return Failure(FailureCode.CONTENT_FILTERED if filtered else _ENDS[status], f"{name}: {text}")
