"""What Bedrock is sent, and what its answers mean (docs/protocols/bedrock.md)."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import AwsService, HttpResponse
from imagegate.providers import registry
from imagegate.providers.bedrock import Bedrock, build_body, parse_answer
from support.fakes import NoSecrets, ScriptedHttp

PIXEL = base64.b64encode(b"\x89PNG...").decode()
DONE = {"seeds": [7], "finish_reasons": [None], "images": [PIXEL]}
CORE, SD35 = "stability.stable-image-core-v1:1", "stability.sd3-5-large-v1:0"


def request(**changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="m", messages=(Message("a fox"),)), **changes)


def answer(document: Any, status: int = 200, kind: str = "") -> HttpResponse:
    headers = {"x-amzn-errortype": kind} if kind else {}
    return HttpResponse(status, headers, json.dumps(document).encode())


def code_of(response: HttpResponse) -> FailureCode:
    with pytest.raises(UpstreamError) as raised:
        parse_answer("bedrock", response)
    return raised.value.failure.code


@pytest.mark.parametrize(
    ("urls", "host", "region"),
    [
        ({}, "https://bedrock-runtime.us-west-2.amazonaws.com", "us-west-2"),
        ({"bedrock": "https://bedrock-runtime.eu-central-1.amazonaws.com"}, "", "eu-central-1"),
        ({"bedrock": "http://127.0.0.1:1/bedrock"}, "", "us-west-2"),
    ],
)
def test_a_call_is_signed_for_its_region(urls: dict[str, str], host: str, region: str) -> None:
    http = ScriptedHttp([answer(DONE)])
    registry.Providers(http, NoSecrets({}), urls)("bedrock").submit(UpstreamRequest(request=request(), model=CORE))
    [sent] = http.requests
    assert sent.url == f"{host or urls['bedrock']}/model/stability.stable-image-core-v1%3A1/invoke"
    assert sent.aws_service == AwsService("bedrock", region)


def test_a_prompt_goes_with_a_shape_and_what_the_model_takes() -> None:
    asked = request(size=Size(1920, 1080), seed=7, negative_prompt="dogs")
    assert build_body(UpstreamRequest(request=asked, model=SD35)) == {
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "output_format": "png",
        "seed": 7,
        "negative_prompt": "dogs",
    }


def test_only_one_model_takes_a_negative_prompt() -> None:
    assert "negative_prompt" in Bedrock.limits_for(SD35).capabilities
    assert "negative_prompt" not in Bedrock.limits_for(CORE).capabilities


def test_a_picture_comes_with_its_seed() -> None:
    assert parse_answer("bedrock", answer(DONE)) == Ready(bodies=(b"\x89PNG...",), seed=7)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"finish_reasons": ["Filter reason: prompt"]}, FailureCode.CONTENT_FILTERED),
        ({"finish_reasons": ["Filter reason: output image"], "images": [PIXEL]}, FailureCode.CONTENT_FILTERED),
        ({"finish_reasons": ["Inference error"], "images": []}, FailureCode.UPSTREAM_FAILED),
        ({"finish_reasons": [None], "images": []}, FailureCode.BAD_PAYLOAD),
        ({"images": ["*"]}, FailureCode.BAD_PAYLOAD),
        ({"images": 7, "finish_reasons": 7, "seeds": 7}, FailureCode.BAD_PAYLOAD),
        ([], FailureCode.BAD_PAYLOAD),
    ],
)
def test_a_success_may_hold_no_picture(document: Any, code: FailureCode) -> None:
    assert code_of(answer(document)) is code


@pytest.mark.parametrize(
    ("status", "kind", "message", "code"),
    [
        (403, "AccessDeniedException", "not authorized", FailureCode.AUTH),
        (403, "ExpiredTokenException", "expired", FailureCode.AUTH),
        (404, "ResourceNotFoundException", "end of its life", FailureCode.NOT_FOUND),
        (429, "ThrottlingException:http://internal.amazon.com/coral/", "too many", FailureCode.RATE_LIMITED),
        (400, "ServiceQuotaExceededException", "quota", FailureCode.RATE_LIMITED),
        (429, "ModelNotReadyException", "loading", FailureCode.CAPACITY),
        (503, "ServiceUnavailableException", "later", FailureCode.CAPACITY),
        (408, "ModelTimeoutException", "too long", FailureCode.UPSTREAM_FAILED),
        (424, "ModelErrorException", "failed", FailureCode.UPSTREAM_FAILED),
        (500, "InternalServerException", "failed", FailureCode.UPSTREAM_FAILED),
        (400, "ValidationException", "extraneous key", FailureCode.INVALID_REQUEST),
        (400, "ValidationException", "invalid_prompts: filtered words", FailureCode.CONTENT_FILTERED),
        (400, "ValidationException", "The provided model identifier is invalid.", FailureCode.NOT_FOUND),
        (429, "", "no type", FailureCode.RATE_LIMITED),
    ],
)
def test_each_refusal_has_its_code(status: int, kind: str, message: str, code: FailureCode) -> None:
    assert code_of(answer({"message": message}, status, kind)) is code


def test_a_denial_says_which_parameter_grants_the_right() -> None:
    with pytest.raises(UpstreamError, match="BedrockRegion"):
        parse_answer("bedrock", answer({"message": "not authorized"}, 403, "AccessDeniedException"))
