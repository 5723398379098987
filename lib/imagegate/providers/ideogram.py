"""Ideogram's API of version 2: a generation is started, then asked about until it has ended.

Contract: docs/protocols/ideogram.md. There is no idempotency key and no list of generations.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import fill_in
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, counts_of, id_of, object_of
from imagegate.providers.sizes import ShapeTable

KEY = "{IDEOGRAM_API_KEY}"
GRID = ShapeTable(
    minimum=1024,
    maximum=2880,
    step=32,
    shapes=(
        ((1, 1), Size(2048, 2048)),
        ((2, 1), Size(2880, 1440)),
        ((16, 9), Size(2720, 1536)),
        ((16, 10), Size(2592, 1632)),
        ((3, 2), Size(2496, 1664)),
        ((4, 3), Size(2368, 1760)),
        ((5, 4), Size(2304, 1824)),
        ((4, 5), Size(1824, 2304)),
        ((3, 4), Size(1760, 2368)),
        ((2, 3), Size(1664, 2496)),
        ((10, 16), Size(1632, 2592)),
        ((9, 16), Size(1536, 2720)),
        ((1, 2), Size(1440, 2880)),
    ),
)
"""Shapes by name; the pixels are to be expected, none are promised (docs/protocols/ideogram.md#starting)."""
QUALITIES = {"low": "low", "medium": "medium", "high": "high", "standard": "medium", "hd": "high"}


class Ideogram:
    """The service."""

    limits = Limits(
        completion=CompletionMode.POLL,
        grid=GRID,
        prompt_characters=10_000,
        images_per_call=8,
        retention_seconds=24 * 3600.0,
        expected_seconds=15.0,
        capabilities=frozenset({"seed", "quality"}),
    )

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Start a generation."""
        path = f"/image/generate/{upstream_request.model}"
        return parse_started(self.name, self._send("POST", path, build_body(upstream_request)))

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once."""
        response = self._send("GET", f"/generations/{ticket.data['id']}")
        if response.status == 404:
            return Failed(Failure(FailureCode.EXPIRED, f"{self.name} no longer knows the generation."))
        return parse_generation(self.name, self.base_url, response)

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: a generation cannot be stopped."""

    def _send(self, method: str, path: str, body: Any = None) -> HttpResponse:
        headers = {"api-key": fill_in(self.name, self._secrets, KEY)}
        return self._http.send(HttpRequest(method=method, url=f"{self.base_url}{path}", headers=headers, json=body))


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The body of a start (docs/protocols/ideogram.md#starting)."""
    request = upstream_request.request
    fields = {
        "prompt": request.prompt,
        "aspect_ratio": GRID.name_for(request).replace(":", "x"),
        "seed": request.seed,
        "num_images": upstream_request.count if upstream_request.count > 1 else None,
        "quality": QUALITIES.get(request.quality or ""),
        "async": True,
    }
    return {name: value for name, value in fields.items() if value is not None}


def parse_started(name: str, response: HttpResponse) -> Ticket:
    """The ticket of a generation that was started. Raises UpstreamError for any other answer."""
    if response.status not in (200, 201, 202):
        raise parse_refusal(name, response)
    generation_id = id_of(object_of(response.body).get("generation_id"))
    if not generation_id:
        raise bad_payload(name, "without a generation id")
    return Ticket({"id": generation_id})


def parse_generation(name: str, base_url: str, response: HttpResponse) -> Check:
    """Where a generation stands. Raises UpstreamError when the answer is not a generation."""
    if response.status != 200:
        raise parse_refusal(name, response)
    document = object_of(response.body)
    if not document:
        raise bad_payload(name, "something that is no generation")
    status = document.get("status")
    if status == "failed":
        reason = strip_html(str(document.get("failure_reason") or "")) or "the generation failed without saying why"
        refused = "safety" in reason.lower() or "moderation" in reason.lower()
        code = FailureCode.CONTENT_FILTERED if refused else FailureCode.UPSTREAM_FAILED
        return Failed(Failure(code, f"{name}: {reason}"))
    return _parse_data(name, base_url, document) if status == "completed" else Pending()


def parse_refusal(name: str, response: HttpResponse) -> UpstreamError:
    """The error of an HTTP status that says no; 422 is the word for a prompt that failed the safety check."""
    document = object_of(response.body)
    reported = [
        str(document[field]) for field in ("reject_reason", "error", "message", "detail") if document.get(field)
    ]
    text = ": ".join(reported) or response.body.decode("utf-8", "replace")
    error = http_error(name, response, text)
    if response.status != 422:
        return error
    return UpstreamError(Failure(FailureCode.CONTENT_FILTERED, error.failure.message))


def _parse_data(name: str, base_url: str, document: Mapping[str, Any]) -> Check:
    data = document.get("data")
    items = [each for each in data if isinstance(each, Mapping)] if isinstance(data, list) else []
    sources = tuple(_sources(items, base_url))
    if not sources and any(each.get("is_image_safe") is False for each in items):
        return Failed(Failure(FailureCode.CONTENT_FILTERED, f"{name} drew a picture that failed its safety check."))
    if not sources:
        return Failed(bad_payload(name, "a finished generation without a picture").failure)
    seed = items[0].get("seed")
    [cost] = counts_of(document, "usage_cost_usd_micros")
    return Ready(sources=sources, seed=seed if type(seed) is int else None, micro_dollars=cost or None)


def _sources(items: list[Mapping[str, Any]], base_url: str) -> Iterator[Source]:
    for item in items:
        if address := address_of(item.get("url"), f"{base_url}/"):
            yield Source(address)
