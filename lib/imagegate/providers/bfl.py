"""Black Forest Labs: a task is started, then asked about at the address that the answer named.

Contract: docs/protocols/bfl.md. That address is at a host of its own, which is shown the key only when it belongs to
bfl.ai; the picture's host never is.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import fill_in
from imagegate.providers.http_errors import LONGEST_PAUSE, bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, id_of, object_of
from imagegate.providers.sizes import ShapeGrid, shape_of

KEY = {"x-key": "{BFL_API_KEY}"}
OWN_HOSTS = re.compile(r"([a-z0-9-]+\.)*bfl\.ai")
MICRO_DOLLARS_PER_CREDIT = 10_000
LARGEST_COST = 100_000
"""Credits; more than that for one picture is an error of the upstream's."""
FORMATS = {"png": "png", "jpeg": "jpeg", "webp": "png"}
"""Our formats in BFL's words; WebP is made of PNG, which loses nothing."""

PIXELS = Grid(minimum=256, maximum=2048, step=16)
SHAPES = ShapeGrid(minimum=672, maximum=1568, step=16)

_ENDS = {
    "request moderated": FailureCode.CONTENT_FILTERED,
    "content moderated": FailureCode.CONTENT_FILTERED,
    "task not found": FailureCode.EXPIRED,
    "error": FailureCode.UPSTREAM_FAILED,
    "failed": FailureCode.UPSTREAM_FAILED,
}
"""Statuses, in small letters, that are ends without a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInputs:
    """What a family of models takes beyond prompt, seed and format."""

    grid: Grid = PIXELS
    """SHAPES for models that are told an aspect ratio."""
    steps_maximum: int | None = None
    guidance: bool = False
    input_images: int = 0


MODELS: tuple[tuple[re.Pattern[str], ModelInputs], ...] = (
    (re.compile(r"flux-2-klein-"), ModelInputs(input_images=4)),
    (re.compile(r"flux-2-flex"), ModelInputs(steps_maximum=50, guidance=True, input_images=8)),
    (re.compile(r"flux-2-"), ModelInputs(input_images=8)),
    (re.compile(r"flux-kontext-"), ModelInputs(grid=SHAPES, input_images=4)),
)
PLAIN = ModelInputs()
"""Of a model that is not in MODELS."""


def inputs_of(model: str) -> ModelInputs:
    """What the model takes."""
    return next((inputs for pattern, inputs in MODELS if pattern.match(model)), PLAIN)


def limits_of(model: str) -> Limits:
    """What that model accepts."""
    inputs = inputs_of(model)
    optional: dict[Capability, object] = {"steps": inputs.steps_maximum, "guidance": inputs.guidance}
    return Limits(
        completion=CompletionMode.POLL,
        grid=inputs.grid,
        prompt_characters=10_000,
        steps_maximum=inputs.steps_maximum,
        retention_seconds=600.0,
        expected_seconds=10.0,
        input_images=inputs.input_images,
        capabilities=frozenset({"seed", *(name for name, taken in optional.items() if taken)}),
    )


class Bfl:
    """Black Forest Labs' API."""

    limits = limits_of("")
    limits_for = staticmethod(limits_of)

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Start a task; the ticket is the address to ask at."""
        url = f"{self.base_url}/{upstream_request.model}"
        response = self._send("POST", url, build_body(upstream_request))
        return parse_started(self.name, self.base_url, response)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once."""
        response = self._send("GET", ticket.data["url"])
        return parse_task(self.name, self.base_url, response, ticket.data.get("credits"))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: a task cannot be stopped."""

    def _send(self, method: str, url: str, body: Any = None) -> HttpResponse:
        headers = {name: fill_in(self.name, self._secrets, value) for name, value in KEY.items()}
        return self._http.send(HttpRequest(method=method, url=url, headers=headers, json=body))


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The body of a submission; nothing is in it that the model does not take."""
    request, inputs = upstream_request.request, inputs_of(upstream_request.model)
    pictures = [base64.b64encode(picture.body).decode() for picture in upstream_request.inputs[: inputs.input_images]]
    fields = {
        "prompt": request.prompt,
        **(_shape(upstream_request, inputs) if request.size or request.ratio or not pictures else {}),
        "seed": request.seed,
        "output_format": FORMATS.get(request.output_format or ""),
        "steps": request.steps if inputs.steps_maximum else None,
        "guidance": request.guidance if inputs.guidance else None,
    }
    named = {f"input_image_{place}" if place > 1 else "input_image": each for place, each in enumerate(pictures, 1)}
    return {name: value for name, value in fields.items() if value is not None} | named


def _shape(upstream_request: UpstreamRequest, inputs: ModelInputs) -> dict[str, Any]:
    if inputs.grid is SHAPES:
        return {"aspect_ratio": "{}:{}".format(*shape_of(upstream_request.request, SHAPES))}
    size = limits_of(upstream_request.model).size_for(upstream_request.request)
    return {"width": size.width, "height": size.height}


def parse_started(name: str, base_url: str, response: HttpResponse) -> Ticket:
    """The ticket of a started task. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status not in (200, 202):
        raise parse_refusal(name, response)
    task_id = id_of(document.get("id"))
    url = trusted_url(document.get("polling_url"), base_url)
    if not task_id or not url:
        raise bad_payload(name, "without an address of its own to ask at")
    parts = urlsplit(url)
    query = parts.query if "id=" in parts.query else f"id={task_id}"
    return Ticket({"url": urlunsplit(parts._replace(query=query)), "credits": _credits(document)})


def trusted_url(reported: Any, base_url: str) -> str | None:
    """An address that may be shown the key: one at the provider's own host, or by https at one of bfl.ai."""
    address = address_of(reported, f"{base_url}/")
    if not address:
        return None
    at, base = urlsplit(address), urlsplit(base_url)
    own = at.scheme == "https" and OWN_HOSTS.fullmatch(at.netloc)
    return address if own or (at.scheme, at.netloc) == (base.scheme, base.netloc) else None


def parse_task(name: str, base_url: str, response: HttpResponse, charged: float | None) -> Check:
    """How a task stands; `charged`: credits that the submission was said to cost. Raises UpstreamError."""
    document = object_of(response.body)
    status = str(document.get("status") or document.get("state") or "")
    code = _ENDS.get(status.lower())
    if code and response.status in (200, 404):
        return Failed(_failure(name, code, status, document.get("details")))
    if response.status != 200:
        raise parse_refusal(name, response)
    if not document:
        raise bad_payload(name, "something that is no task")
    if status.lower() != "ready":
        return Pending()
    return _parse_result(name, base_url, document, charged)


def _parse_result(name: str, base_url: str, document: Mapping[str, Any], charged: float | None) -> Check:
    reported = document.get("result")
    result = reported if isinstance(reported, Mapping) else {}
    address = address_of(result.get("sample"), f"{base_url}/")
    if not address:
        return Failed(bad_payload(name, "a finished task without a picture").failure)
    final, seed = _credits(document), result.get("seed")
    spent = charged if final is None else final
    return Ready(
        sources=(Source(address),),
        seed=seed if type(seed) is int and 0 <= seed < 2**63 else None,
        micro_dollars=None if spent is None else round(spent * MICRO_DOLLARS_PER_CREDIT),
    )


def parse_refusal(name: str, response: HttpResponse) -> UpstreamError:
    """The error of an HTTP status that says no, in either of the shapes that BFL has."""
    document = object_of(response.body)
    failure = http_error(name, response, _text(response, document)).failure
    pause = document.get("retry_after")
    if failure.retry_after is None and isinstance(pause, int | float) and pause >= 0:
        failure = replace(failure, retry_after=min(float(pause), LONGEST_PAUSE))
    return UpstreamError(failure)


def _text(response: HttpResponse, document: Mapping[str, Any]) -> str:
    reported = document.get("detail") or document.get("message") or document.get("error")
    if isinstance(reported, list):
        return "; ".join(str(part.get("msg") if isinstance(part, Mapping) else part) for part in reported)
    return str(reported or response.body.decode("utf-8", "replace"))


def _failure(name: str, code: FailureCode, status: str, details: Any) -> Failure:
    reported = details.get("Moderation Reasons") if isinstance(details, Mapping) else None
    reasons = f" ({', '.join(map(str, reported))})" if isinstance(reported, list) else ""
    return Failure(code, f"{name}: {strip_html(status + reasons)}")


def _credits(document: Mapping[str, Any]) -> float | None:
    """What a task costs, in credits; `None` when that is not told."""
    cost = document.get("cost")
    return float(cost) if isinstance(cost, int | float) and 0 <= cost < LARGEST_COST else None
