"""Google's Gemini image models: at the Gemini API, and at Vertex AI with an API key.

Contract: docs/protocols/gemini.md. The call is held until the picture is there, and answers with its bytes.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.config import Count, SecretName
from imagegate.providers.credentials import fill_in
from imagegate.providers.http_errors import LONGEST_PAUSE, bad_payload, http_error, strip_html
from imagegate.providers.parsing import counts_of, json_of
from imagegate.providers.sizes import ShapeTable

TIMEOUT = 240.0
"""Seconds a silent call is waited for; the larger models think for more than a minute."""

SHAPES = ShapeTable(
    672,
    1536,
    1,
    (
        ((1, 1), Size(1024, 1024)),
        ((2, 3), Size(832, 1248)),
        ((3, 2), Size(1248, 832)),
        ((3, 4), Size(864, 1184)),
        ((4, 3), Size(1184, 864)),
        ((4, 5), Size(896, 1152)),
        ((5, 4), Size(1152, 896)),
        ((9, 16), Size(768, 1344)),
        ((16, 9), Size(1344, 768)),
        ((21, 9), Size(1536, 672)),
    ),
)
"""The aspect ratios, and the pixels of each at the default size (docs/protocols/gemini.md#request)."""

REFUSALS = frozenset(
    (
        *("SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "RECITATION", "IMAGE_RECITATION"),
        *("BLOCKLIST", "SPII", "MODEL_ARMOR", "JAILBREAK"),
    )
)
"""Values of `finishReason` that refuse the content; any other without a picture is only a failure."""

_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class GeminiConfig:
    """What differs from one face to the other; each field is a key of its `[providers.NAME]`."""

    key: SecretName
    """Name of the secret that goes into `x-goog-api-key`."""
    input_images: Count = 3

    @property
    def limits(self) -> Limits:
        """The same facts as every provider tells them."""
        return Limits(
            completion=CompletionMode.SYNC,
            grid=SHAPES,
            prompt_characters=32_000,
            submit_seconds=TIMEOUT + 120.0,
            expected_seconds=12.0,
            input_images=self.input_images,
            capabilities=frozenset({"seed"}),
        )


class Gemini:
    """One face of Gemini's `generateContent`."""

    config_type = GeminiConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: GeminiConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config

    def submit(self, upstream_request: UpstreamRequest) -> Ready:
        """Ask for the picture, which is the answer."""
        url = f"{self.base_url}/models/{upstream_request.model}:generateContent"
        headers = {"x-goog-api-key": fill_in(self.name, self._secrets, f"{{{self._config.key}}}")}
        request = HttpRequest(
            method="POST", url=url, headers=headers, json=build_body(upstream_request), timeout=TIMEOUT
        )
        return parse_answer(self.name, self._http.send(request), upstream_request.request.seed)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Never called: this protocol gives no tickets."""
        return Failed(Failure(FailureCode.NOT_FOUND, f"{self.name} has no jobs to ask about."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: there is no job to stop."""


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The JSON of `generateContent`: prompt, input pictures, and what the picture is to be like."""
    request = upstream_request.request
    pictures = [
        {"inlineData": {"mimeType": each.content_type, "data": base64.b64encode(each.body).decode()}}
        for each in upstream_request.inputs
    ]
    config: dict[str, Any] = {"responseModalities": ["IMAGE"]}
    if request.size or request.ratio or not pictures:  # an edited picture keeps its shape unless told otherwise
        config["imageConfig"] = {"aspectRatio": SHAPES.name_for(request)}
    if request.seed is not None:
        config["seed"] = request.seed
    return {"contents": [{"role": "user", "parts": [{"text": request.prompt}, *pictures]}], "generationConfig": config}


def parse_answer(name: str, response: HttpResponse, seed: int | None) -> Ready:
    """The picture of an answer. Raises UpstreamError for any other answer."""
    document = _object(json_of(response.body))
    if response.status != 200 or "error" in document:
        raise _http_refusal(name, response, _object(document.get("error")))
    bodies = tuple(_pictures(document))
    if not bodies:
        raise _without_picture(name, document)
    return Ready(bodies=bodies[:1], seed=seed, usage=_usage(document))


def _pictures(document: Mapping[str, Any]) -> Iterator[bytes]:
    """Every picture; some gateways write one into the text as a data URL."""
    for part in _objects(_object(_candidate(document).get("content")).get("parts")):
        data, text = _object(part.get("inlineData")).get("data"), part.get("text")
        if isinstance(data, str):
            yield from _decoded(data)
        elif isinstance(text, str) and (match := _DATA_URL.search(text)):
            yield from _decoded(match[1])


def _decoded(text: str) -> Iterator[bytes]:
    try:
        yield base64.b64decode(text, validate=True)
    except ValueError:
        return


def _without_picture(name: str, document: Mapping[str, Any]) -> UpstreamError:
    feedback, candidate = _object(document.get("promptFeedback")), _candidate(document)
    reason = str(feedback.get("blockReason") or candidate.get("finishReason") or "nothing")
    reported = strip_html(str(candidate.get("finishMessage") or feedback.get("blockReasonMessage") or reason))
    if feedback.get("blockReason") or reason in REFUSALS:
        return UpstreamError(Failure(FailureCode.CONTENT_FILTERED, f"{name} refused the content: {reported}"))
    return bad_payload(name, f"without a picture ({reason}: {reported})")


def _http_refusal(name: str, response: HttpResponse, error: Mapping[str, Any]) -> UpstreamError:
    message, details = str(error.get("message") or ""), list(_objects(error.get("details")))
    failure = http_error(name, response, message or response.body.decode("utf-8", "replace")).failure
    code = _code_of(str(error.get("status")), message.lower(), details) or failure.code
    delays = [_DELAY.fullmatch(str(detail.get("retryDelay"))) for detail in details]
    pause = next((min(float(delay[1]), LONGEST_PAUSE) for delay in delays if delay), failure.retry_after)
    return UpstreamError(replace(failure, code=code, retry_after=pause))


def _code_of(status: str, message: str, details: list[Mapping[str, Any]]) -> FailureCode | None:
    """What the status and its details say, where the HTTP status says something else."""
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in details) or "api key not valid" in message:
        return FailureCode.AUTH
    if status == "FAILED_PRECONDITION":  # a region that is not served, or an account without billing
        return FailureCode.NO_CREDIT if "billing" in message else FailureCode.AUTH
    violations = [each for detail in details for each in _objects(detail.get("violations"))]
    if any("PerDay" in str(each.get("quotaId")) for each in violations):
        return FailureCode.NO_CREDIT
    # It has been at work, so it is not certain that it was free.
    return FailureCode.UPSTREAM_FAILED if "deadline expired" in message else None


def _usage(document: Mapping[str, Any]) -> Usage | None:
    names = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")
    taken, made, total = counts_of(document.get("usageMetadata"), *names)
    return Usage(input_tokens=taken, output_tokens=made, total_tokens=total) if taken or made or total else None


def _candidate(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(_objects(document.get("candidates"))), {})


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()


def _object(value: Any) -> Mapping[str, Any]:
    """The object; of a list its first, for a stream's errors come so."""
    if isinstance(value, list):
        return next(_objects(value), {})
    return value if isinstance(value, dict) else {}
