"""AUTOMATIC1111's API: what is sent, and what is made of its answers. Contract: docs/protocols/sdapi.md."""

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
from imagegate.providers.sdapi import Sdapi, parse_answer
from support.fakes import NoSecrets, ScriptedHttp

XL = "sd_xl_base_1.0"


def asked(model: str = "default", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="sdapi", messages=(Message("a fox"),)), **changes)
    return UpstreamRequest(request=request, model=model)


def answer(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


def drawn(*pictures: bytes, **info: Any) -> HttpResponse:
    images = [base64.b64encode(picture).decode() for picture in pictures]
    return answer({"images": images, "parameters": {}, "info": json.dumps({"seed": 7, **info})})


def made(*answers: HttpResponse, **secrets: str) -> tuple[Sdapi, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return Sdapi("sdapi", "{SDAPI_URL}/sdapi/v1", http, NoSecrets(secrets)), http


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ("https://gpu.test:7860", "https://gpu.test:7860/sdapi/v1/txt2img"),
        ("http://10.0.0.7:7860/\n", "http://10.0.0.7:7860/sdapi/v1/txt2img"),
        ("gpu.test", "https://gpu.test/sdapi/v1/txt2img"),
    ],
)
def test_the_server_is_where_the_secret_says(told: str, url: str) -> None:
    server, http = made(drawn(b"PNG"), SDAPI_URL=told)
    assert server.submit(asked()) == Ready(bodies=(b"PNG",), seed=7)
    [request] = http.requests
    assert (request.method, request.url, request.headers) == ("POST", url, {})


def test_without_its_address_nothing_is_sent() -> None:
    server, http = made(drawn(b"PNG"))
    with pytest.raises(UpstreamError, match="not available here") as caught:
        server.submit(asked())
    assert (caught.value.failure.code, http.requests) == (FailureCode.AUTH, [])


def test_a_login_is_shown() -> None:
    server, http = made(drawn(b"PNG"), SDAPI_URL="https://gpu.test", SDAPI_AUTH="me:secret\n")
    server.submit(asked())
    assert http.requests[0].headers == {"authorization": f"Basic {base64.b64encode(b'me:secret').decode()}"}


def test_what_is_sent() -> None:
    server, http = made(drawn(b"PNG"), drawn(b"PNG"), SDAPI_URL="https://gpu.test")
    server.submit(asked())
    server.submit(asked(XL, size=Size(770, 512), seed=7, steps=20, guidance=7.5, negative_prompt="fog"))
    assert http.requests[0].json == {"prompt": "a fox", "width": 1024, "height": 1024}
    assert http.requests[1].json == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "width": 768,
        "height": 512,
        "steps": 20,
        "cfg_scale": 7.5,
        "seed": 7,
        "override_settings": {"sd_model_checkpoint": XL},
        "override_settings_restore_afterwards": True,
    }


def test_neither_a_grid_nor_what_extensions_add_is_the_picture() -> None:
    assert parse_answer("sdapi", drawn(b"grid", b"PNG", index_of_first_image=1), "default").bodies == (b"PNG",)
    assert parse_answer("sdapi", drawn(b"PNG", b"map", index_of_first_image=0), "default").bodies == (b"PNG",)


@pytest.mark.parametrize("told", [XL, "SD_XL_base_1.0", "xl\\sd_xl_base_1.0.safetensors [31e35c80fc]", "", None, 7])
def test_a_checkpoint_is_known_by_any_of_its_names(told: Any) -> None:
    for wanted in (XL, f"{XL}.safetensors", f"xl/{XL}.safetensors [31e35c80fc]", "default"):
        assert parse_answer("sdapi", drawn(b"PNG", sd_model_name=told), wanted).bodies == (b"PNG",)


def test_a_picture_by_another_checkpoint_is_dropped() -> None:
    with pytest.raises(UpstreamError, match="v1-5") as caught:
        parse_answer("sdapi", drawn(b"PNG", sd_model_name="v1-5-pruned-emaonly"), XL)
    assert caught.value.failure.code is FailureCode.NOT_FOUND


@pytest.mark.parametrize("info", ["", "nonsense", "[]", None, {"seed": 7}, json.dumps({"seed": -1})])
def test_a_seed_that_is_not_told(info: Any) -> None:
    response = answer({"images": [base64.b64encode(b"PNG").decode()], "info": info})
    assert parse_answer("sdapi", response, XL) == Ready(bodies=(b"PNG",))


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer({"detail": "Not authenticated"}, 401), FailureCode.AUTH),
        (answer({"error": "HTTPException", "detail": "Sampler not found"}, 404), FailureCode.NOT_FOUND),
        (answer({"detail": [{"loc": ["body", "steps"], "msg": "x", "type": "y"}]}, 422), FailureCode.INVALID_REQUEST),
        (answer({"error": "OutOfMemoryError", "errors": "CUDA out of memory"}, 500), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(524, {}, b"error code: 524"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(504, {}, b"<html>Gateway Time-out</html>"), FailureCode.UPSTREAM_TIMEOUT),
        (answer({}, 503), FailureCode.CAPACITY),
        (answer({"images": []}), FailureCode.BAD_PAYLOAD),
        (answer({"images": None}), FailureCode.BAD_PAYLOAD),
        (answer({"images": [7]}), FailureCode.BAD_PAYLOAD),
        (drawn(b"grid", index_of_first_image=1), FailureCode.BAD_PAYLOAD),
        (answer([]), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_what_is_refused(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_answer("sdapi", response, "default")
    assert caught.value.failure.code is code


def test_an_error_is_told_with_its_class() -> None:
    response = answer({"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory"}, 500)
    with pytest.raises(UpstreamError, match="OutOfMemoryError: CUDA out of memory"):
        parse_answer("sdapi", response, "default")
