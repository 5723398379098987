"""Alibaba's DashScope (Model Studio): Qwen-Image, whose call is held until the pictures are there, and Wan as tasks.

Contract: docs/protocols/dashscope.md. One protocol with three bodies, which the model decides on. Errors come with any
HTTP status, 200 included. There is no idempotency key.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, data_url, id_of, object_of
from imagegate.providers.sizes import BoundedGrid

KEYS = {"DASHSCOPE_API_KEY": "Bearer"}
HELD = "/services/aigc/multimodal-generation/generation"
TASKS_WITH_MESSAGES = "/services/aigc/image-generation/generation"
TASKS = "/services/aigc/text2image/image-synthesis"
WITH_MESSAGES = re.compile(r"wan2\.[6-9]|wan[3-9]")
"""Models whose tasks are asked for in messages; older ones take a bare prompt."""
GENERATION_SECONDS = 240.0

QWEN = BoundedGrid(minimum=512, maximum=2048, step=16, area_minimum=512 * 512, area_maximum=2048 * 2048)
WAN_26 = BoundedGrid(640, 2560, 16, area_minimum=1280 * 1280, area_maximum=1440 * 1440, ratio_maximum=4)
WAN = Grid(minimum=768, maximum=1440, step=16)

_CODES = (
    (re.compile(r"DataInspection|IPInfringement"), FailureCode.CONTENT_FILTERED),
    (re.compile(r"Arrear|Overdue|FreeTier|PrepaidBill|PostpaidBill"), FailureCode.NO_CREDIT),
    (re.compile(r"Throttling|LimitRequests"), FailureCode.RATE_LIMITED),
    (re.compile(r"ApiKey|AccessDenied|Forbidden|Unpurchased"), FailureCode.AUTH),
    (re.compile(r"ModelNotFound|ModelNotExist|model_not_found"), FailureCode.NOT_FOUND),
    (re.compile(r"Time[Oo]ut"), FailureCode.UPSTREAM_TIMEOUT),
    (re.compile(r"Unavailable|ModelServingError"), FailureCode.CAPACITY),
    (re.compile(r"Internal|SystemError"), FailureCode.UPSTREAM_FAILED),
    (re.compile(r"^(Invalid|BadRequest)"), FailureCode.INVALID_REQUEST),
)
"""By the error's `code`, the first that fits (docs/protocols/dashscope.md#errors)."""
_NO_SUCH_MODEL = re.compile(r"model.{0,40}not (exist|found)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DashScopeConfig:
    """What [providers.NAME] says of one of DashScope's two ways."""

    tasks: bool = False
    """Whether its models are asked for as tasks; else the call is held until the pictures are there."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        grid = (WAN_26 if WITH_MESSAGES.match(model) else WAN) if self.tasks else QWEN
        return Limits(
            completion=CompletionMode.POLL if self.tasks else CompletionMode.SYNC,
            grid=grid,
            prompt_characters=2000 if self.tasks else 800,
            images_per_call=4,
            submit_seconds=40.0 if self.tasks else GENERATION_SECONDS + 120.0,
            retention_seconds=24 * 3600.0,
            expected_seconds=20.0,
            input_images=0 if self.tasks else 3,
            capabilities=frozenset({"seed", "negative_prompt"}),
        )


class DashScope:
    """One region's service: keys and addresses are a region's own."""

    config_type = DashScopeConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: DashScopeConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Ask for the pictures: they are the answer, or a task is."""
        seed, model = upstream_request.request.seed, upstream_request.model
        body = build_body(upstream_request, self._config)
        if not self._config.tasks:
            return parse_pictures(self.name, self._send("POST", HELD, body, timeout=GENERATION_SECONDS), seed)
        path = TASKS_WITH_MESSAGES if WITH_MESSAGES.match(model) else TASKS
        return parse_started(self.name, self._send("POST", path, body, {"x-dashscope-async": "enable"}), seed)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once for the task."""
        response = self._send("GET", f"/tasks/{ticket.data['id']}")
        return parse_task(self.name, response, ticket.data.get("seed"))

    def cancel(self, ticket: Ticket) -> None:
        """Ask it to drop the task, which it does only as long as that is pending."""
        try:
            self._send("POST", f"/tasks/{ticket.data['id']}/cancel")
        except UpstreamError:
            return

    def _send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 30.0
    ) -> HttpResponse:
        sent = {**authorization(self.name, self._secrets, KEYS), **(headers or {})}
        return self._http.send(
            HttpRequest(method=method, url=f"{self.base_url}{path}", headers=sent, json=body, timeout=timeout)
        )


def build_body(upstream_request: UpstreamRequest, config: DashScopeConfig) -> dict[str, Any]:
    """The request (docs/protocols/dashscope.md#requests): the prompt as it is, and no watermark."""
    request, model = upstream_request.request, upstream_request.model
    messages = not config.tasks or WITH_MESSAGES.match(model)
    negative = {"negative_prompt": request.negative_prompt} if request.negative_prompt else {}
    size = config.limits_for(model).size_for(request)
    parameters = {
        "size": f"{size.width}*{size.height}",
        "n": upstream_request.count,
        "prompt_extend": False,
        "watermark": False,
        **({} if request.seed is None else {"seed": request.seed}),
    }
    if not messages:
        return {"model": model, "input": {"prompt": request.prompt, **negative}, "parameters": parameters}
    content = [*({"image": data_url(picture)} for picture in upstream_request.inputs), {"text": request.prompt}]
    chat = [{"role": "user", "content": content}]
    return {"model": model, "input": {"messages": chat}, "parameters": parameters | negative}


def parse_pictures(name: str, response: HttpResponse, seed: int | None) -> Ready:
    """The pictures of a held call. Raises UpstreamError for any other answer."""
    check = _parse_output(name, _output(name, response), seed)
    if isinstance(check, Failed):
        raise UpstreamError(check.failure)
    return check


def parse_started(name: str, response: HttpResponse, seed: int | None) -> Ticket:
    """The ticket of an accepted task. Raises UpstreamError for any other answer."""
    output = _output(name, response)
    task = id_of(output.get("task_id"))
    if not task:
        raise _error_in(name, response, output) or bad_payload(name, "without a task id")
    return Ticket({"id": task, "seed": seed})


def parse_task(name: str, response: HttpResponse, seed: int | None) -> Check:
    """Where a task stands. Raises UpstreamError when the answer is not a task."""
    output = _output(name, response)
    status = output.get("task_status")
    if status == "SUCCEEDED":
        return _parse_output(name, output, seed)
    if status == "UNKNOWN":
        return Failed(Failure(FailureCode.EXPIRED, f"{name} does not know the task; tasks are kept for 24 hours."))
    if status in ("FAILED", "CANCELED"):
        text = strip_html(str(output.get("message") or "")) or f"the task has {status.lower()}"
        code = _code_of(str(output.get("code") or ""), text) or FailureCode.UPSTREAM_FAILED
        return Failed(Failure(code, f"{name}: {text}"))
    if not isinstance(status, str):
        raise bad_payload(name, "something that is no task")
    return Pending()


def _output(name: str, response: HttpResponse) -> Mapping[str, Any]:
    """What an answer brings. Raises UpstreamError for an error, whatever its HTTP status."""
    document = object_of(response.body)
    output = document.get("output")
    if response.status == 200 and isinstance(output, Mapping) and output:
        return output
    raise _error_in(name, response, document) or bad_payload(name, "something that is no answer")


def _error_in(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError | None:
    """The error of an answer; `None` for one that is none."""
    reported = str(document.get("code") or "")
    if response.status == 200 and not reported:
        return None
    text = str(document.get("message") or response.body.decode("utf-8", "replace"))
    failure = http_error(name, response, text).failure
    return UpstreamError(replace(failure, code=_code_of(reported, text) or failure.code))


def _code_of(reported: str, text: str) -> FailureCode | None:
    code = next((code for pattern, code in _CODES if pattern.search(reported)), None)
    if code is not FailureCode.INVALID_REQUEST:
        return code
    return FailureCode.NOT_FOUND if _NO_SUCH_MODEL.search(text) else code_from_text(text) or code


def _parse_output(name: str, output: Mapping[str, Any], seed: int | None) -> Ready | Failed:
    """The pictures; with fewer than were asked for it is a success, without any what the first one says."""
    entries = list(_entries(output))
    addresses = [address for entry in entries if (address := address_of(entry.get("url") or entry.get("image"), ""))]
    if addresses:
        return Ready(sources=tuple(map(Source, addresses)), seed=seed if len(addresses) == 1 else None)
    reported = next((entry for entry in entries if entry.get("code")), {})
    if code := _code_of(str(reported.get("code") or ""), str(reported.get("message") or "")):
        return Failed(Failure(code, f"{name}: {strip_html(str(reported.get('message') or code))}"))
    return Failed(bad_payload(name, "a success without a picture").failure)


def _entries(output: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What stands for each picture: results of old tasks, parts of the messages of all others."""
    yield from _objects(output.get("results"))
    for choice in _objects(output.get("choices")):
        message = choice.get("message")
        yield from _objects(message.get("content") if isinstance(message, Mapping) else None)


def _objects(reported: Any) -> Iterator[Mapping[str, Any]]:
    yield from (entry for entry in (reported if isinstance(reported, list) else ()) if isinstance(entry, Mapping))
