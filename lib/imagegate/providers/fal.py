"""fal's queue: a request is queued, asked about until it is completed, and its result fetched.

Contract: docs/protocols/fal.md. Nothing ever "fails" there: a request that went wrong is completed too, and its result
is an error. Which errors are the verdict on the job, and which say only that this check failed, is the hard part. The
same queue is reached through Hugging Face's router.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.config import Scheme, SecretName
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.fal_models import build_input, inputs_of, path_of
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, object_of

ONE_RUN = {"x-fal-no-retry": "1", "x-app-fal-disable-fallback": "1"}
"""One submission is one run, of the model that was asked for (docs/protocols/fal.md#submitting)."""

_REQUEST_PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9_.-]*){2,6}/requests/[A-Za-z0-9-]{1,64}")
_NO_CREDIT = re.compile(r"user is locked|exhausted balance|billing", re.IGNORECASE)
_OF_DETAIL = {
    "content_policy_violation": FailureCode.CONTENT_FILTERED,
    "downstream_service_error": FailureCode.UPSTREAM_FAILED,
    "downstream_service_unavailable": FailureCode.UPSTREAM_FAILED,
    "generation_timeout": FailureCode.UPSTREAM_TIMEOUT,
}
"""By the `type` of a 422's details; any other is the caller's to change."""

_OF_ERROR_TYPE = {"request_timeout": FailureCode.UPSTREAM_TIMEOUT, "startup_timeout": FailureCode.UPSTREAM_TIMEOUT}
"""By `error_type`; any other is fal's own trouble."""

_VERDICTS = frozenset({400, 422, 500})
"""Statuses of a result that are the job's own end; others, without an `error_type`, are of this call alone."""

_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class FalConfig:
    """fal itself, or a router in front of it; each field is a key of its `[providers.NAME]`."""

    keys: Mapping[SecretName, Scheme] = field(default_factory=lambda: {"FAL_KEY": "Key"})
    """Secret to Authorization scheme, best first."""
    query: str = ""
    """What a router wants behind every address to lead to the queue."""

    @property
    def limits(self) -> Limits:
        """Of a model that nothing more is known of."""
        return self.limits_for("")

    def limits_for(self, model: str) -> Limits:
        """Of that model."""
        inputs = inputs_of(model)
        optional: dict[Capability, object] = {
            "seed": inputs.seed,
            "steps": inputs.steps_maximum,
            "guidance": inputs.guidance,
        }
        return Limits(
            completion=CompletionMode.POLL,
            grid=inputs.grid,
            prompt_characters=4000,
            images_per_call=inputs.images_per_call,
            steps_maximum=inputs.steps_maximum,
            retention_seconds=24 * 3600.0,
            expected_seconds=5.0,
            input_images=inputs.input_images,
            calls_hooks=not self.query,
            capabilities=frozenset(name for name, taken in optional.items() if taken),
        )


class Fal:
    """One way to fal's queue."""

    config_type = FalConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: FalConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Queue a request; the ticket is its path, which is not the one it was sent to."""
        hook = f"fal_webhook={quote(upstream_request.hook_url, safe='')}" if upstream_request.hook_url else ""
        response = self._send("POST", path_of(upstream_request), build_input(upstream_request), hook)
        return parse_queued(self.name, self.base_url, response)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once, and fetch the result of a completed request; one that is gone has expired."""
        path = ticket.data["path"]
        status = self._send("GET", f"{path}/status")
        ended = parse_status(self.name, status)
        return parse_result(self.name, self.base_url, self._send("GET", path)) if ended is None else ended

    def cancel(self, ticket: Ticket) -> None:
        """Ask it to stop, best effort on both sides."""
        try:
            self._send("PUT", f"{ticket.data['path']}/cancel")
        except UpstreamError:
            return

    def _send(self, method: str, path: str, body: Any = None, hook: str = "") -> HttpResponse:
        credentials = authorization(self.name, self._secrets, self._config.keys)
        query = "&".join(part for part in (self._config.query, hook) if part)
        headers = credentials | (ONE_RUN if method == "POST" else {})
        return self._http.send(
            HttpRequest(
                method=method, url=f"{self.base_url}{path}{f'?{query}' if query else ''}", headers=headers, json=body
            )
        )


def parse_queued(name: str, base_url: str, response: HttpResponse) -> Ticket:
    """The ticket of a queued request. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status not in (200, 201, 202):
        raise parse_refusal(name, response)
    path = _own_path(document.get("response_url"), base_url)
    if not path:
        raise bad_payload(name, "without the address of a request")
    return Ticket({"path": path})


def _own_path(reported: Any, base_url: str) -> str | None:
    """The request's path below `base_url`; behind a router the address told is at fal's own host."""
    address = address_of(reported, f"{base_url}/")
    if not address:
        return None
    at, base = urlsplit(address), urlsplit(base_url)
    path = at.path.removeprefix(base.path) if (at.scheme, at.netloc) == (base.scheme, base.netloc) else at.path
    return path if _REQUEST_PATH.fullmatch(path) else None


def parse_status(name: str, response: HttpResponse) -> Check | None:
    """How a request stands; None when it is completed and its result is to be fetched. Raises UpstreamError."""
    document = object_of(response.body)
    if response.status in _GONE:
        return _expired(name)
    if response.status not in (200, 202):
        raise parse_refusal(name, response)
    if not document:
        raise bad_payload(name, "something that is no status")
    if document.get("status") != "COMPLETED":
        return Pending()
    error = document.get("error")
    return Failed(_failure(name, str(error), document.get("error_type"))) if error else None


def parse_result(name: str, base_url: str, response: HttpResponse) -> Check:
    """The result of a completed request. Raises UpstreamError when the call failed and the job perhaps did not."""
    document = object_of(response.body)
    if response.status == 200:
        return _parse_pictures(name, base_url, document)
    if response.status in _GONE:
        return _expired(name)
    error_type = document.get("error_type") or response.headers.get("x-fal-error-type")
    if error_type:
        return Failed(_failure(name, _text(response, document), error_type))
    refusal = parse_refusal(name, response)
    if response.status in _VERDICTS and document:
        return Failed(refusal.failure)
    raise refusal


def parse_refusal(name: str, response: HttpResponse) -> UpstreamError:
    """The error of an HTTP status that says no; of a 422, the `type` of its details decides."""
    document = object_of(response.body)
    text = _text(response, document)
    failure = http_error(name, response, text).failure
    code = None
    if response.status == 422:
        code = next((_OF_DETAIL[kind] for kind in _detail_types(document) if kind in _OF_DETAIL), code_from_text(text))
    if response.status in (402, 403, 409) and _NO_CREDIT.search(text):
        code = FailureCode.NO_CREDIT
    return UpstreamError(replace(failure, code=code or failure.code))


def _parse_pictures(name: str, base_url: str, document: Mapping[str, Any]) -> Check:
    """The pictures that its safety checker let through; one that it did not is black."""
    reported = document.get("images") or [document.get("image")]
    images = reported if isinstance(reported, list) else []
    unsafe = document.get("has_nsfw_concepts")
    flags = unsafe if isinstance(unsafe, list) else []
    urls = [image.get("url") if isinstance(image, Mapping) else None for image in images]
    kept = [url for place, url in enumerate(urls) if not (place < len(flags) and flags[place] is True)]
    if urls and not kept:
        message = f"{name}: the safety checker found every picture unsafe"
        return Failed(Failure(FailureCode.CONTENT_FILTERED, message))
    addresses = [address for url in kept if (address := address_of(url, f"{base_url}/"))]
    if not addresses:
        return Failed(bad_payload(name, "a result without a picture").failure)
    seed = document.get("seed")
    return Ready(sources=tuple(map(Source, addresses)), seed=seed if type(seed) is int and 0 <= seed < 2**63 else None)


def _expired(name: str) -> Failed:
    return Failed(Failure(FailureCode.EXPIRED, f"{name} no longer knows the request."))


def _failure(name: str, text: str, error_type: Any) -> Failure:
    message = strip_html(text) or "the request failed without saying why"
    code = _OF_ERROR_TYPE.get(str(error_type)) or code_from_text(text) or FailureCode.UPSTREAM_FAILED
    return Failure(code, f"{name}: {message}")


def _text(response: HttpResponse, document: Mapping[str, Any]) -> str:
    detail = document.get("detail")
    if isinstance(detail, list):
        return "; ".join(str(part.get("msg") if isinstance(part, Mapping) else part) for part in detail)
    return str(detail or document.get("error") or response.body.decode("utf-8", "replace"))


def _detail_types(document: Mapping[str, Any]) -> list[str]:
    detail = document.get("detail")
    parts = detail if isinstance(detail, list) else []
    return [str(part.get("type")) for part in parts if isinstance(part, Mapping)]
