"""YandexART's asynchronous REST API, as it was served until 2026: start an operation, ask until it is done.

Contract: docs/protocols/yandexart.md. `done` decides, not `error`, which may come earlier while work is rolled
back. Refusals come at the POST (code 3) or late, in the operation.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission, Ticket
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import Message
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization, fill_in
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, retry_after, strip_html
from imagegate.providers.parsing import id_of, object_of
from imagegate.providers.sizes import ShapeGrid, shape_of

KEYS = {"YC_API_KEY": "Api-Key", "YC_IAM_TOKEN": "Bearer"}
"""Secret to Authorization scheme; the key first, since a token lives twelve hours at most."""

FOLDER = "{YC_FOLDER_ID}"
START = "/foundationModels/v1/imageGenerationAsync"
_EXPIRED = "no longer knows the operation; results are kept for three days."

_OF_GRPC = {
    "3": FailureCode.INVALID_REQUEST,
    "4": FailureCode.UPSTREAM_TIMEOUT,
    "5": FailureCode.NOT_FOUND,
    "7": FailureCode.AUTH,
    "8": FailureCode.RATE_LIMITED,
    "9": FailureCode.INVALID_REQUEST,
    "11": FailureCode.INVALID_REQUEST,
    "12": FailureCode.NOT_FOUND,
    "14": FailureCode.CAPACITY,
    "16": FailureCode.AUTH,
}
"""By the code's digits, as some write it. Any other is a fault of the upstream; so is a job cancelled (1) without
our request."""


class YandexArt:
    """The service behind llm.api.cloud.yandex.net, or a compatible one."""

    limits = Limits(
        completion=CompletionMode.POLL,
        grid=ShapeGrid(minimum=256, maximum=4096, step=16),
        prompt_characters=500,
        seed_maximum=2**63 - 1,
        retention_seconds=3 * 24 * 3600.0,
        expected_seconds=30.0,
        requests_per_minute=500,
        capabilities=frozenset({"seed"}),
        supports_weights=True,
    )

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Start an operation; the ticket is its id, and the seed, which the answer will not repeat."""
        body = build_body(upstream_request, fill_in(self.name, self._secrets, FOLDER))
        return parse_started(
            self.name, self._send("POST", START, build_headers(upstream_request), body), upstream_request.request.seed
        )

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once; an operation that is gone has expired."""
        response = self._send("GET", f"/operations/{ticket.data['id']}")
        if response.status == 404:
            return Failed(Failure(FailureCode.EXPIRED, f"{self.name} {_EXPIRED}"))
        return parse_operation(self.name, response, ticket.data.get("seed"))

    def cancel(self, ticket: Ticket) -> None:
        """Ask it to stop, best effort on both sides (docs/protocols/yandexart.md#cancelling)."""
        try:
            self._send("GET", f"/operations/{ticket.data['id']}:cancel")
        except UpstreamError:
            return

    def _send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> HttpResponse:
        credentials = authorization(self.name, self._secrets, KEYS)
        folder = {"x-folder-id": fill_in(self.name, self._secrets, FOLDER)}
        return self._http.send(
            HttpRequest(
                method=method,
                url=f"{self.base_url}{path}",
                headers={**credentials, **folder, **(headers or {})},
                json=body,
            )
        )


def build_headers(upstream_request: UpstreamRequest) -> dict[str, str]:
    """A request's headers (docs/protocols/yandexart.md#headers): its ids, which must be UUIDs, and privacy."""
    private = {"x-data-logging-enabled": "false"} if upstream_request.request.private else {}
    if not upstream_request.idempotency_key:
        return private
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, upstream_request.idempotency_key))
    return {"x-client-request-id": key, "idempotency-key": key, **private}


def build_body(upstream_request: UpstreamRequest, folder: str) -> dict[str, Any]:
    """The request, with numbers as the strings that the documentation writes; 0 and absent mean "you choose"."""
    width, height = shape_of(upstream_request.request, YandexArt.limits.grid)
    options: dict[str, Any] = {
        "mimeType": "image/jpeg",
        "aspectRatio": {"widthRatio": str(width), "heightRatio": str(height)},
    }
    if upstream_request.request.seed is not None:
        options["seed"] = str(upstream_request.request.seed)
    model = upstream_request.model if "://" in upstream_request.model else f"art://{folder}/{upstream_request.model}"
    messages = [_message(message) for message in upstream_request.request.messages]
    return {"modelUri": model, "generationOptions": options, "messages": messages}


def parse_started(name: str, response: HttpResponse, seed: int | None) -> Submission:
    """The ticket of an accepted request, or its picture if there already. Raises UpstreamError for any other answer."""
    check = parse_operation(name, response, seed)
    if isinstance(check, Failed):
        raise UpstreamError(check.failure)
    if isinstance(check, Ready):
        return check
    operation_id = id_of(object_of(response.body).get("id"))
    if not operation_id:
        raise bad_payload(name, "without an operation id")
    return Ticket({"id": operation_id, "seed": seed})


def parse_operation(name: str, response: HttpResponse, seed: int | None) -> Check:
    """Where an operation stands; `seed` is what was sent. Raises UpstreamError when the answer is not an operation."""
    document = object_of(response.body)
    if response.status != 200:
        raise _refusal_error(name, response, document)
    if not document:
        raise bad_payload(name, "something that is no operation")
    # Protobuf's JSON leaves out what is false.
    if document.get("done") is not True:
        return Pending(retry_after(response.headers))
    error = document.get("error")
    if isinstance(error, Mapping) and error.get("code"):
        return Failed(_failure(name, error))
    if picture := _picture(document.get("response")):
        return Ready(bodies=(picture,), seed=seed or None)
    return Failed(bad_payload(name, "a finished operation without a picture").failure)


def _message(message: Message) -> dict[str, str]:
    weight = int(message.weight) if message.weight.is_integer() else message.weight
    return {"text": message.text, "weight": str(weight)}


def _refusal_error(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    """A grpc-gateway error: code and message at the top, or within `error` (docs/protocols/yandexart.md#errors)."""
    inner = document.get("error")
    error = inner if isinstance(inner, Mapping) else document
    message = error.get("message") or inner or response.body.decode("utf-8", "replace")
    failure = http_error(name, response, str(message)).failure
    grpc = error.get("code") or error.get("grpcCode")
    return UpstreamError(replace(failure, code=_refine_code(_of_grpc(grpc) if grpc else failure.code, str(message))))


def _failure(name: str, error: Mapping[str, Any]) -> Failure:
    message = strip_html(str(error.get("message") or "")) or "the operation failed without saying why"
    return Failure(_refine_code(_of_grpc(error["code"]), message), f"{name}: {message}")


def _of_grpc(code: Any) -> FailureCode:
    return _OF_GRPC.get(str(code), FailureCode.UPSTREAM_FAILED)


def _refine_code(code: FailureCode, message: str) -> FailureCode:
    """Refusals of content and faults of the deployment share the codes of invalid requests."""
    return code_from_text(message) or code if code is FailureCode.INVALID_REQUEST else code


def _picture(response: Any) -> bytes | None:
    image = response.get("image") if isinstance(response, Mapping) else None
    try:
        return base64.b64decode(image, validate=True) if isinstance(image, str) else None
    except ValueError:
        return None
