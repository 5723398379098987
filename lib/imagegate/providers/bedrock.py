"""Stability's image models on Amazon Bedrock, called with the function's role in place of a key.

Contract: docs/protocols/bedrock.md. The call is held until the picture is there. AWS's own SDK would repeat a call that
it has no answer to, and each may be charged: a submission is one POST.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import AwsService, Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import object_of
from imagegate.providers.sizes import ShapeTable

TIMEOUT = 180.0
"""Seconds a silent call is waited for."""

SHAPES = ShapeTable(
    640,
    1536,
    1,
    (
        ((1, 1), Size(1024, 1024)),
        ((16, 9), Size(1344, 768)),
        ((21, 9), Size(1536, 640)),
        ((2, 3), Size(832, 1216)),
        ((3, 2), Size(1216, 832)),
        ((4, 5), Size(896, 1088)),
        ((5, 4), Size(1088, 896)),
        ((9, 16), Size(768, 1344)),
        ((9, 21), Size(640, 1536)),
    ),
)
"""The aspect ratios, and the pixels to expect of each (docs/protocols/bedrock.md#request)."""

LIMITS = Limits(
    completion=CompletionMode.SYNC,
    grid=SHAPES,
    prompt_characters=10_000,
    seed_maximum=2**32 - 1,
    submit_seconds=TIMEOUT + 120.0,
    expected_seconds=8.0,
    capabilities=frozenset({"seed"}),
)
"""What every model takes."""

CODES = {
    "AccessDeniedException": FailureCode.AUTH,
    "UnrecognizedClientException": FailureCode.AUTH,
    "ExpiredTokenException": FailureCode.AUTH,
    "InvalidSignatureException": FailureCode.AUTH,
    "ResourceNotFoundException": FailureCode.NOT_FOUND,
    "ThrottlingException": FailureCode.RATE_LIMITED,
    "ServiceQuotaExceededException": FailureCode.RATE_LIMITED,
    "ModelNotReadyException": FailureCode.CAPACITY,
    "ServiceUnavailableException": FailureCode.CAPACITY,
    "ModelTimeoutException": FailureCode.UPSTREAM_FAILED,
    "ModelErrorException": FailureCode.UPSTREAM_FAILED,
    "InternalServerException": FailureCode.UPSTREAM_FAILED,
}
"""By the error's type; a ValidationException is told apart by its text."""

_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_DEFAULT_REGION = "us-west-2"
"""The one region with these models."""
_FILTERED = re.compile(r"filtered words|invalid_prompts|content filter", re.IGNORECASE)
_NO_SUCH_MODEL = re.compile(r"model identifier is invalid|on-demand throughput|end of its life", re.IGNORECASE)
_HINT = "; the stack's parameter BedrockRegion gives the right to call it"


class Bedrock:
    """Bedrock's runtime in one region."""

    limits = LIMITS

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        region = _REGION.search(base_url)
        self._service = AwsService("bedrock", region[1] if region else _DEFAULT_REGION)

    @staticmethod
    def limits_for(model: str) -> Limits:
        """Of that model: only Stable Diffusion 3.5 takes a negative prompt."""
        return replace(LIMITS, capabilities=LIMITS.capabilities | ({"negative_prompt"} if "sd3-5" in model else set()))

    def submit(self, upstream_request: UpstreamRequest) -> Ready:
        """Ask for the picture, which is the answer."""
        url = f"{self.base_url}/model/{quote(upstream_request.model, safe='')}/invoke"
        headers = {"accept": "application/json", "content-type": "application/json"}
        body = build_body(upstream_request)
        request = HttpRequest(
            method="POST", url=url, headers=headers, json=body, timeout=TIMEOUT, aws_service=self._service
        )
        return parse_answer(self.name, self._http.send(request))

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Never called: this protocol gives no tickets."""
        return Failed(Failure(FailureCode.NOT_FOUND, f"{self.name} has no jobs to ask about."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: there is no job to stop."""


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The JSON of the model's call."""
    request = upstream_request.request
    body = {"prompt": request.prompt, "aspect_ratio": SHAPES.name_for(request), "output_format": "png"}
    taken = Bedrock.limits_for(upstream_request.model).capabilities
    optional = {"seed": request.seed, "negative_prompt": request.negative_prompt or None}
    return body | {name: value for name, value in optional.items() if value is not None and name in taken}


def parse_answer(name: str, response: HttpResponse) -> Ready:
    """The picture of an answer. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        raise _http_refusal(name, response, document)
    if reason := _first(document.get("finish_reasons"), str):
        filtered = reason.lower().startswith("filter reason")
        code = FailureCode.CONTENT_FILTERED if filtered else FailureCode.UPSTREAM_FAILED
        raise UpstreamError(Failure(code, f"{name} made no picture: {strip_html(reason)}"))
    picture = _decoded(_first(document.get("images"), str))
    if not picture:
        raise bad_payload(name, "HTTP 200 without a picture")
    return Ready(bodies=(picture,), seed=_first(document.get("seeds"), int))


def _http_refusal(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    message = str(document.get("message") or document.get("Message") or response.body.decode("utf-8", "replace"))
    kind = response.headers.get("x-amzn-errortype", "").partition(":")[0]
    failure = http_error(name, response, message).failure
    if _FILTERED.search(message):
        code = FailureCode.CONTENT_FILTERED
    elif _NO_SUCH_MODEL.search(message):
        code = FailureCode.NOT_FOUND
    else:
        code = CODES.get(kind, failure.code)
    hint = _HINT if code is FailureCode.AUTH else ""
    return UpstreamError(replace(failure, code=code, message=f"{failure.message}{hint}"))


def _first(values: Any, kind: type[Any]) -> Any:
    value = values[0] if isinstance(values, list) and values else None
    return value if type(value) is kind else None


def _decoded(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError:
        return b""
