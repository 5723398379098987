"""Runware: a task with an id of ours is sent, then asked about until all its generations have ended.

Contract: docs/protocols/runware.md. The task's id is made from the submission's key. A repeated submission is therefore
refused as a conflict, which means that the first one was accepted: nothing is paid for twice.
"""

import base64
import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import data_url, object_of

KEYS = {"RUNWARE_API_KEY": "Bearer"}
CONFLICT = "conflictTaskUUID"
FORMATS = {"jpeg": "JPG", "webp": "WEBP"}
"""Our formats in Runware's words; anything else is asked for as PNG."""
REFERENCES = re.compile(r"runware:400@")
"""Models that take input pictures as `referenceImages`: FLUX.2."""

_CODES = (
    (re.compile(r"^provider.*(auth|internal|unknown|badgateway)", re.IGNORECASE), FailureCode.UPSTREAM_FAILED),
    (re.compile(r"credits|quota|balance|paymentrequired", re.IGNORECASE), FailureCode.NO_CREDIT),
    (re.compile(r"ratelimit", re.IGNORECASE), FailureCode.RATE_LIMITED),
    (
        re.compile(r"contentpolicy|sensitive|nsfw|unsafe|blocked|moderation|providercontent", re.IGNORECASE),
        FailureCode.CONTENT_FILTERED,
    ),
    (
        re.compile(r"apikey|auth|forbidden|permission|credential|token|(account|organization|workspace)(suspend|disab)",
                   re.IGNORECASE),
        FailureCode.AUTH,
    ),
    (re.compile(r"timeout", re.IGNORECASE), FailureCode.UPSTREAM_TIMEOUT),
    (re.compile(r"model.*(notfound|expired)|unknownmodel|invalidmodel", re.IGNORECASE), FailureCode.NOT_FOUND),
    (re.compile(r"task.*(notfound|expired|cancelled)", re.IGNORECASE), FailureCode.EXPIRED),
    (re.compile(r"unavailable|noavailableserver|modelnotready|modeldisabled", re.IGNORECASE), FailureCode.CAPACITY),
    (re.compile(r"^(invalid|missing|unsupported|duplicate|value|array|max|incompatible|unknownparameter)"),
     FailureCode.INVALID_REQUEST),
)  # fmt: skip
"""By the error's `code`, the first that fits (docs/protocols/runware.md#errors)."""

PIXELS_PER_ANSWER = 8 * 1024 * 1024
"""Pixels asked for at once: as PNG in base64, they stay below what `Http` reads."""

_OF_THE_CALL = frozenset({FailureCode.AUTH, FailureCode.NO_CREDIT, FailureCode.RATE_LIMITED, FailureCode.CAPACITY})
"""What an error without a task's type says of the question; anything else it says of the task."""
_BUSY = frozenset({FailureCode.RATE_LIMITED, FailureCode.CAPACITY})


@dataclass(frozen=True, slots=True)
class RunwareConfig:
    """Runware has no facts that models.toml could change."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        return Limits(
            completion=CompletionMode.POLL,
            grid=Grid(minimum=128, maximum=2048, step=64),
            prompt_characters=3000,
            images_per_call=4,
            steps_maximum=100,
            retention_seconds=3600.0,
            expected_seconds=4.0,
            input_images=4 if REFERENCES.match(model) else 0,
            recovers_submissions=True,
            capabilities=frozenset({"seed", "steps", "guidance", "negative_prompt"}),
        )


class Runware:
    """The HTTP face of Runware's API."""

    config_type = RunwareConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: RunwareConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Send the task; when its answer is lost, ask whether it has arrived."""
        task = build_task(upstream_request)
        ticket = Ticket({"id": task["taskUUID"]})
        try:
            parse_accepted(self.name, self._send(task))
        except UpstreamError as error:
            if error.failure.code is not FailureCode.AMBIGUOUS or not self._has_arrived(ticket):
                raise
        return ticket

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once for all generations of the task."""
        return parse_results(self.name, self._send(build_question(ticket), idempotent=True), ticket.data["id"])

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: a task cannot be stopped."""

    def _has_arrived(self, ticket: Ticket) -> bool:
        try:
            check = self.check(ticket, 0.0)
        except UpstreamError:
            return False
        return not isinstance(check, Failed) or check.failure.code is not FailureCode.EXPIRED

    def _send(self, task: Mapping[str, Any], *, idempotent: bool = False) -> HttpResponse:
        credentials = authorization(self.name, self._secrets, KEYS)
        return self._http.send(
            HttpRequest(method="POST", url=self.base_url, headers=credentials, json=[task], idempotent=idempotent)
        )


def build_task(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The task (docs/protocols/runware.md#tasks); absent fields are left to the model."""
    request = upstream_request.request
    size = RunwareConfig().limits.size_for(request)
    references = [data_url(picture) for picture in upstream_request.inputs]
    fields = {
        "taskType": "imageInference",
        "taskUUID": task_id(upstream_request.idempotency_key),
        "deliveryMethod": "async",
        "model": upstream_request.model,
        "positivePrompt": request.prompt,
        "negativePrompt": request.negative_prompt or None,
        "width": size.width,
        "height": size.height,
        "seed": request.seed,
        "steps": request.steps,
        "CFGScale": request.guidance,
        "numberResults": min(upstream_request.count, max(1, PIXELS_PER_ANSWER // (size.width * size.height))),
        "outputType": "base64Data",
        "outputFormat": FORMATS.get(request.output_format or "", "PNG"),
        "includeCost": True,
        "inputs": {"referenceImages": references} if references else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def task_id(key: str) -> str:
    """The same UUID whenever the submission is repeated; of version 4, as Runware takes no other."""
    return str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16], version=4) if key else uuid.uuid4())


def build_question(ticket: Ticket) -> dict[str, str]:
    """The task that asks what has become of another."""
    return {"taskType": "getResponse", "taskUUID": ticket.data["id"]}


def parse_accepted(name: str, response: HttpResponse) -> None:
    """Return if the task was accepted, now or before. Raises UpstreamError when it was not."""
    document = object_of(response.body)
    errors = list(_entries(document, "errors"))
    if any(error.get("code") == CONFLICT for error in errors):
        return
    if errors or response.status != 200:
        raise UpstreamError(_failure(name, response, errors))
    if not any(_entries(document, "data")):
        raise bad_payload(name, "without a word of the task")


def parse_results(name: str, response: HttpResponse, task: str) -> Check:
    """Where the task's generations stand. Raises UpstreamError when only the question failed."""
    document = object_of(response.body)
    data = [entry for entry in _entries(document, "data") if entry.get("taskUUID") == task]
    errors = [*_entries(document, "errors"), *(entry for entry in data if entry.get("status") == "error")]
    ended = [entry for entry in data if entry.get("status") == "success" or entry.get("imageBase64Data")]
    if not data and (response.status >= 500 or not (errors or document)):
        raise UpstreamError(_failure(name, response, errors))
    if any(entry not in ended and entry not in errors for entry in data):
        return Pending()
    pictures = [entry for entry in ended if _picture(entry)]
    if pictures:
        return _ready(pictures)
    if ended:
        return Failed(bad_payload(name, "a success without a picture").failure)
    return _verdict(name, response, errors, task) if errors or response.status != 200 else Pending()


def _verdict(name: str, response: HttpResponse, errors: list[Mapping[str, Any]], task: str) -> Failed:
    """What the errors say of the task. Raises UpstreamError for what they say of the question."""
    failure = _failure(name, response, errors)
    ours = [error for error in errors if error.get("taskUUID") == task]
    of_task = any(error.get("taskType") == "imageInference" for error in ours)
    if not ours or (failure.code in _OF_THE_CALL and not of_task):
        raise UpstreamError(failure)
    # A task that was accepted is over for good: the same id would only find it again.
    return Failed(replace(failure, code=FailureCode.UPSTREAM_FAILED) if failure.code in _BUSY else failure)


def _ready(pictures: list[Mapping[str, Any]]) -> Ready:
    costs = [entry.get("cost") for entry in pictures]
    reported = [cost for cost in costs if isinstance(cost, int | float) and 0 <= cost < 1000]
    seed = pictures[0].get("seed") if len(pictures) == 1 else None
    return Ready(
        bodies=tuple(_picture(entry) for entry in pictures),
        seed=seed if type(seed) is int else None,
        micro_dollars=round(sum(reported) * 1_000_000) if len(reported) == len(costs) else None,
    )


def _failure(name: str, response: HttpResponse, errors: list[Mapping[str, Any]]) -> Failure:
    """The first error in our vocabulary; without one, what the HTTP status says."""
    error = errors[0] if errors else {}
    text = str(error.get("message") or response.body.decode("utf-8", "replace"))
    failure = http_error(name, response, text).failure
    if not errors:
        return replace(failure, code=FailureCode.BAD_PAYLOAD) if response.status < 300 else failure
    code = _code_of(str(error.get("code") or ""), text)
    if code is FailureCode.INVALID_REQUEST and error.get("parameter") == "model":
        code = FailureCode.NOT_FOUND
    return replace(failure, code=code or failure.code)


def _code_of(reported: str, text: str) -> FailureCode | None:
    code = next((code for pattern, code in _CODES if pattern.search(reported)), None)
    refined = code_from_text(text) if code in (None, FailureCode.INVALID_REQUEST) else None
    return refined or code


def _entries(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    listed = document.get(name)
    yield from (entry for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, Mapping))


def _picture(entry: Mapping[str, Any]) -> bytes:
    """The picture's bytes; none when there are none."""
    reported = entry.get("imageBase64Data")
    try:
        return base64.b64decode(reported, validate=True) if isinstance(reported, str) else b""
    except ValueError:
        return b""
