"""FLUX.1-schnell Spaces: Gradio's `/call` protocol, versions 4, 5 and 6 alike.

Contract and measurements: docs/protocols/gradio-spaces.md. What shapes this file:
Gradio >= 5 serves under `/gradio_api`, 4 does not; the event stream can be read once, breaking it off
loses the result for good, while opening it late is fine; a second stream after `complete` never ends.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import LONGEST_PAUSE, bad_payload, http_error, strip_html
from imagegate.providers.parsing import address_of, id_of, json_of, object_of

PREFIXES = ("/gradio_api", "")
DEFAULT_STEPS = 4
TOKEN = "HF_TOKEN"  # noqa: S105 - the secret's name
_QUOTA = re.compile(r"(?:try again|retry) in (\d{1,9}):(\d\d):(\d\d)", re.IGNORECASE)
_OUT_OF_RANGE = re.compile(r"value .* is (less|greater) than", re.IGNORECASE)


class GradioSpace:
    """A Space with `infer(prompt, seed, randomize_seed, width, height, num_inference_steps)`."""

    limits = Limits(
        completion=CompletionMode.STREAM,
        grid=Grid(minimum=256, maximum=2048, step=32),
        prompt_characters=4000,
        expected_seconds=6.0,
        capabilities=frozenset({"seed", "steps"}),
        steps_maximum=50,
    )

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        self._secrets = secrets
        self._prefix: str | None = None

    def submit(self, upstream_request: UpstreamRequest) -> Ticket:
        """Queue one picture; the ticket is the event id and the prefix it was given under."""
        arguments = build_arguments(upstream_request.request)
        # The one that served last comes first: it may be another after an upgrade, or was learned from a page that
        # stood before a sleeping Space.
        for prefix in sorted(PREFIXES, key=lambda entry: entry != self._prefix):
            response = self._http.send(self._request("POST", f"{prefix}/call/infer", {"data": arguments}))
            if response.status != 404:
                self._prefix = prefix
                return Ticket({"event_id": parse_event_id(self.name, response), "prefix": prefix})
        self._prefix = None
        raise http_error(self.name, response, "the Space is down, or is no Gradio app with /call/infer")

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Read the one stream to its end. Never Pending: a stream that is closed early loses the result.

        Raises UpstreamError when it could not be opened: nothing is lost, as it can be opened later.
        """
        prefix, event_id = ticket.data["prefix"], ticket.data["event_id"]
        stream = self._http.stream(self._request("GET", f"{prefix}/call/infer/{event_id}"), hold_until)
        try:
            for event in stream:
                if event.event == "complete":
                    return parse_complete(self.name, f"{self.base_url}{prefix}", event.data)
                if event.event == "error":
                    return Failed(parse_error(self.name, event.data))
        except UpstreamError as error:
            if error.failure.certainly_free:
                raise
            return Failed(error.failure)
        message = f"{self.name} ended its stream without a result; the result cannot be read again."
        return Failed(Failure(FailureCode.UPSTREAM_TIMEOUT, message))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: `/call` has no cancel that works without a session."""

    def _request(self, method: str, path: str, body: Any = None) -> HttpRequest:
        token = self._secrets.get(TOKEN)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return HttpRequest(method=method, url=f"{self.base_url}{path}", headers=headers, json=body)


def build_arguments(request: ImageRequest) -> list[Any]:
    """The six arguments of `infer`, in the Space's order."""
    size = GradioSpace.limits.size_for(request)
    seed = request.seed or 0
    return [
        request.prompt,
        seed,
        request.seed is None,
        size.width,
        size.height,
        request.steps or DEFAULT_STEPS,
    ]


def parse_event_id(name: str, response: HttpResponse) -> str:
    """The id of an accepted submission. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        message = document.get("detail") or document.get("error") or response.body.decode("utf-8", "replace")
        raise http_error(name, response, str(message))
    event_id = id_of(document.get("event_id"))
    if not event_id:
        raise bad_payload(name, "without an event id")
    return event_id


def parse_complete(name: str, root: str, data: str) -> Check:
    """The picture's address and the seed really used, from the data of `complete`."""
    document = json_of(data)
    values = document if isinstance(document, list) else []
    file, seed = [*values, None, None][:2]
    address = _address(root, file) if isinstance(file, dict) else None
    if not address:
        return Failed(bad_payload(name, "'complete' without a picture").failure)
    known = type(seed) is int and 0 <= seed <= GradioSpace.limits.seed_maximum
    return Ready(sources=(Source(address),), seed=seed if known else None)


def parse_error(name: str, data: str) -> Failure:
    """Why the Space failed, as far as its Gradio version says."""
    document = json_of(data)
    message = (
        strip_html(str(document.get("error") or "")) if isinstance(document, dict) else strip_html(str(document or ""))
    )
    if message.startswith("404:"):
        return Failure(FailureCode.EXPIRED, f"{name} no longer knows the job ({message}).")
    if "quota" in message.lower():
        return Failure(FailureCode.RATE_LIMITED, f"{name}: {message}", _quota_seconds(message))
    if _OUT_OF_RANGE.search(message):
        return Failure(FailureCode.INVALID_REQUEST, f"{name}: {message}")
    code = code_from_text(message) or FailureCode.UPSTREAM_FAILED
    return Failure(code, f"{name}: {message or 'the Space failed without saying why'}")


def _address(root: str, file: Mapping[str, Any]) -> str | None:
    # Rebuilt from the path: the url of a Space can be malformed (docs/protocols/gradio-spaces.md#calls), and this
    # one is certain to be on the Space's own host.
    path = file.get("path")
    url = f"{root}/file={quote(path, safe='/:')}" if isinstance(path, str) and path else file.get("url")
    return address_of(url, root)


def _quota_seconds(text: str) -> float | None:
    found = _QUOTA.search(text)
    if not found:
        return None
    hours, minutes, seconds = map(int, found.groups())
    return min(hours * 3600.0 + minutes * 60 + seconds, LONGEST_PAUSE)
