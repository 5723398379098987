"""Workers AI: what is sent, and what is made of its answers. Contract: docs/protocols/workers-ai.md."""

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
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.workers_ai import WorkersAI, WorkersAIConfig, parse_picture
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://cf.test/client/v4"
SECRETS = {"CLOUDFLARE_API_TOKEN": "t\n", "CLOUDFLARE_ACCOUNT_ID": "abc"}
SCHNELL = "@cf/black-forest-labs/flux-1-schnell"
FLUX_2 = "@cf/black-forest-labs/flux-2-dev"
KLEIN = "@cf/black-forest-labs/flux-2-klein-9b"
SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0"
EVERYTHING = {
    "size": Size(768, 512), "seed": 7, "steps": 4, "guidance": 3.5, "negative_prompt": "fog", "quality": "high"
}  # fmt: skip


def asked(model: str, **changes: Any) -> UpstreamRequest:
    return UpstreamRequest(
        request=replace(ImageRequest(model="flux", messages=(Message("a fox"),)), **changes), model=model
    )


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def refusal(status: int, code: Any, message: str = "x", **headers: str) -> HttpResponse:
    body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return answer(body, status, **headers)


def drawn(image: Any) -> HttpResponse:
    return answer({"result": {"image": image}, "success": True, "errors": [], "messages": []})


DRAWN = drawn(base64.b64encode(b"JPEG").decode())


def made(*answers: HttpResponse, secrets: dict[str, str] | None = None) -> tuple[WorkersAI, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return WorkersAI("cf", BASE, http, NoSecrets(SECRETS if secrets is None else secrets), WorkersAIConfig()), http


def test_a_run_and_its_picture() -> None:
    cloudflare, http = made(DRAWN)
    assert cloudflare.submit(asked(SCHNELL, steps=4)) == Ready(bodies=(b"JPEG",))
    [request] = http.requests
    assert (request.method, request.url) == ("POST", f"{BASE}/accounts/abc/ai/run/{SCHNELL}")
    assert request.headers["authorization"] == "Bearer t"
    assert request.json == {"prompt": "a fox", "steps": 4}


def test_bytes_in_place_of_json() -> None:
    cloudflare, _ = made(HttpResponse(200, {"content-type": "image/png"}, b"PNG"))
    assert cloudflare.submit(asked(SDXL, seed=7)) == Ready(bodies=(b"PNG",), seed=7)


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (SCHNELL, {"steps": 4}),
        (FLUX_2, {"width": "768", "height": "512", "seed": "7", "steps": "4", "guidance": "3.5"}),
        (KLEIN, {"width": "768", "height": "512", "seed": "7"}),
        (
            SDXL,
            {"width": 768, "height": 512, "seed": 7, "num_steps": 4, "guidance": 3.5, "negative_prompt": "fog"},
        ),
        ("@cf/acme/new", {}),
    ],
)
def test_a_model_gets_what_it_takes_and_nothing_else(model: str, sent: dict[str, Any]) -> None:
    cloudflare, http = made(DRAWN)
    cloudflare.submit(asked(model, **EVERYTHING))
    [request] = http.requests
    assert (request.json or request.form) == {"prompt": "a fox", **sent}
    assert request.multipart is (model in (FLUX_2, KLEIN))


def test_what_is_taken_is_what_is_promised() -> None:
    limits = {model: WorkersAIConfig().limits_for(model) for model in (SCHNELL, FLUX_2, KLEIN, SDXL)}
    assert {model: each.steps_maximum for model, each in limits.items()} == {
        SCHNELL: 8,
        FLUX_2: 50,
        KLEIN: None,
        SDXL: 20,
    }
    assert limits[SCHNELL].capabilities == {"steps"}
    assert limits[KLEIN].capabilities == {"seed"}
    assert limits[SDXL].capabilities == {"seed", "steps", "guidance", "negative_prompt"}
    assert limits[SCHNELL].size_for(asked(SCHNELL, **EVERYTHING).request) == Size(1024, 1024)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refusal(400, 3003), FailureCode.INVALID_REQUEST),
        (refusal(400, 5004), FailureCode.INVALID_REQUEST),
        (refusal(400, 5006, "Error: '/prompt' is wrong"), FailureCode.INVALID_REQUEST),
        (refusal(413, 3006), FailureCode.INVALID_REQUEST),
        (refusal(400, 3030), FailureCode.CONTENT_FILTERED),
        (refusal(400, 5006, "AiError: Input prompt contains NSFW content."), FailureCode.CONTENT_FILTERED),
        (refusal(400, 5007, "No such model"), FailureCode.NOT_FOUND),
        (refusal(400, 5028), FailureCode.NOT_FOUND),
        (refusal(404, 3042), FailureCode.NOT_FOUND),
        (refusal(403, 3023), FailureCode.AUTH),
        (refusal(403, 3041), FailureCode.AUTH),
        (refusal(403, 5016), FailureCode.AUTH),
        (refusal(403, 5018), FailureCode.AUTH),
        (refusal(400, 6003), FailureCode.AUTH),
        (refusal(404, 7003), FailureCode.AUTH),
        (refusal(401, 10000), FailureCode.AUTH),
        (refusal(401, "none"), FailureCode.AUTH),
        (refusal(429, 3036), FailureCode.NO_CREDIT),
        (refusal(429, 4006), FailureCode.NO_CREDIT),
        (refusal(429, 0, "AiError: 4006: you have used up your daily free allocation"), FailureCode.NO_CREDIT),
        (refusal(429, 3040), FailureCode.CAPACITY),
        (refusal(429, 971), FailureCode.RATE_LIMITED),
        (refusal(408, 3007), FailureCode.UPSTREAM_TIMEOUT),
        (refusal(408, 3008), FailureCode.UPSTREAM_TIMEOUT),
        (refusal(500, 3043), FailureCode.UPSTREAM_FAILED),
        (refusal(503, 3043), FailureCode.CAPACITY),
        (refusal(200, 3040), FailureCode.CAPACITY),
        (refusal(200, 1), FailureCode.UPSTREAM_FAILED),
        (answer({"success": False, "errors": "none"}, 400), FailureCode.INVALID_REQUEST),
        (answer({"success": False, "errors": [1]}, 500), FailureCode.UPSTREAM_FAILED),
        (drawn(None), FailureCode.BAD_PAYLOAD),
        (drawn(""), FailureCode.BAD_PAYLOAD),
        (drawn("?!"), FailureCode.BAD_PAYLOAD),
        (answer({"result": "none", "success": True}), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:90],
)
def test_what_is_refused(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_picture("cf", response)
    assert caught.value.failure.code is code


def test_how_long_to_wait_is_read() -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_picture("cf", refusal(429, 3040, **{"retry-after": "7"}))
    assert caught.value.failure.retry_after == 7


@pytest.mark.parametrize("missing", SECRETS)
def test_without_each_secret_nothing_is_sent(missing: str) -> None:
    cloudflare, http = made(DRAWN, secrets={name: value for name, value in SECRETS.items() if name != missing})
    with pytest.raises(UpstreamError, match="not available here") as caught:
        cloudflare.submit(asked(SCHNELL))
    assert (caught.value.failure.code, http.requests) == (FailureCode.AUTH, [])
