"""fal's queue: requests built, answers understood (docs/protocols/fal.md)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.fal import ONE_RUN, Fal, FalConfig
from imagegate.providers.fal_models import build_input, path_of
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://queue.fal.run"
ROUTER = "https://router.huggingface.co/fal-ai"
SCHNELL = "fal-ai/flux/schnell"
REQUEST = "/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b"
URL = "https://v3.fal.media/files/zebra/abc.jpg"
DATA = "data:image/png;base64,iVBORw=="


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(document).encode())


def queued(base: str = BASE, path: str = REQUEST) -> HttpResponse:
    urls = {"response_url": f"{base}{path}", "status_url": f"{base}{path}/status"}
    return answer({"status": "IN_QUEUE", "request_id": path.rpartition("/")[2], "queue_position": 0, **urls})


def fal(http: ScriptedHttp, base: str = BASE, **config: Any) -> Fal:
    return Fal("fal", base, http, NoSecrets({"FAL_KEY": "id:secret", "HF_TOKEN": "hf_x"}), FalConfig(**config))


def asked(model: str = SCHNELL, count: int = 1, inputs: int = 0, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message("a cat"),)), **changes)
    return UpstreamRequest(
        request=request, model=model, count=count, inputs=(InputBody(b"\x89PNG", "image/png"),) * inputs
    )


def test_a_submission_is_one_post_for_one_run() -> None:
    http = ScriptedHttp([queued()])
    assert fal(http).submit(asked(seed=7)) == Ticket({"path": REQUEST})
    [sent] = http.requests
    assert (sent.method, sent.url) == ("POST", f"{BASE}/{SCHNELL}")
    assert sent.headers == {"authorization": "Key id:secret"} | ONE_RUN
    assert sent.json == {"prompt": "a cat", "image_size": {"width": 1024, "height": 1024}, "seed": 7}


def test_behind_the_router_every_call_goes_to_the_router() -> None:
    http = ScriptedHttp(
        [queued(), answer({"status": "COMPLETED"}), answer({"images": [{"url": URL}]}), answer({}, 202)]
    )
    routed = fal(http, ROUTER, keys={"HF_TOKEN": "Bearer"}, query="_subdomain=queue")
    ticket = routed.submit(asked())
    assert isinstance(routed.check(ticket, 0), Ready)
    routed.cancel(ticket)
    assert [sent.url for sent in http.requests] == [
        f"{ROUTER}{path}?_subdomain=queue"
        for path in (f"/{SCHNELL}", f"{REQUEST}/status", REQUEST, f"{REQUEST}/cancel")
    ]
    assert {sent.headers["authorization"] for sent in http.requests} == {"Bearer hf_x"}


@pytest.mark.parametrize(
    ("upstream_request", "path", "fields"),
    [
        (asked(size=Size(1920, 1080)), "", {"image_size": {"width": 1920, "height": 1088}}),
        (asked(ratio=(16, 9)), "", {"image_size": {"width": 1280, "height": 720}}),
        (asked(output_format="webp"), "", {"output_format": "png"}),
        (asked(output_format="jpeg"), "", {"output_format": "jpeg"}),
        (asked(count=3, steps=2), "", {"num_images": 3, "num_inference_steps": 2}),
        (asked("fal-ai/flux-2", guidance=2.5), "", {"guidance_scale": 2.5}),
        (asked("fal-ai/flux-2-pro", inputs=2), "/edit", {"image_urls": [DATA, DATA]}),
        (asked("fal-ai/flux-2/klein/9b", inputs=1), "/edit", {"image_urls": [DATA]}),
        (asked("fal-ai/flux-pro/kontext", inputs=1), "", {"image_url": DATA}),
        (asked("fal-ai/flux-pro/kontext", ratio=(16, 9)), "/text-to-image", {"aspect_ratio": "16:9"}),
        (asked("xai/grok-imagine-image", ratio=(20, 9), count=2), "", {"aspect_ratio": "20:9", "num_images": 2}),
        (asked("xai/grok-imagine-image/v2.0/text-to-image"), "", {"aspect_ratio": "1:1"}),
    ],
    ids=str,
)
def test_what_is_asked_for_is_in_the_input(upstream_request: UpstreamRequest, path: str, fields: Any) -> None:
    built = build_input(upstream_request)
    assert path_of(upstream_request) == f"/{upstream_request.model}{path}"
    assert {name: built[name] for name in fields} == fields


@pytest.mark.parametrize("model", ["fal-ai/flux-2-pro", "fal-ai/unheard-of"])
def test_nothing_is_sent_that_the_model_does_not_take(model: str) -> None:
    assert build_input(asked(model, count=2, steps=4, guidance=3.0)).keys() == {"prompt", "image_size"}
    assert build_input(asked("fal-ai/flux-2-pro", inputs=1)).keys() == {"prompt", "image_urls"}
    assert build_input(asked("xai/grok-imagine-image", seed=7)).keys() == {"prompt", "aspect_ratio"}


def test_limits_are_those_of_the_model() -> None:
    config = FalConfig()
    schnell, pro, kontext = map(config.limits_for, (SCHNELL, "fal-ai/flux-2-pro", "fal-ai/flux-pro/kontext"))
    assert (schnell.images_per_call, schnell.input_images, schnell.capabilities) == (4, 0, {"seed", "steps"})
    assert (pro.images_per_call, pro.input_images, pro.capabilities) == (1, 4, {"seed"})
    assert kontext.size_for(asked(ratio=(16, 9)).request) == Size(1392, 752)
    assert config.limits_for("xai/grok-imagine-image").capabilities == set()
    assert config.limits_for("x/unheard-of") == config.limits


def detail(kind: str, message: str = "no") -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": message, "type": kind}]}


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(detail("content_policy_violation"), 422), FailureCode.CONTENT_FILTERED),
        (answer(detail("downstream_service_error"), 422), FailureCode.UPSTREAM_FAILED),
        (answer(detail("generation_timeout"), 422), FailureCode.UPSTREAM_TIMEOUT),
        (answer(detail("image_too_small"), 422), FailureCode.INVALID_REQUEST),
        (answer({"detail": "bad"}, 422), FailureCode.INVALID_REQUEST),
        (answer({"detail": [7]}, 422), FailureCode.INVALID_REQUEST),
        (answer({"detail": "Invalid key"}, 401), FailureCode.AUTH),
        (answer({"detail": "User is locked. Reason: Exhausted balance."}, 403), FailureCode.NO_CREDIT),
        (answer({"detail": "Forbidden"}, 403), FailureCode.AUTH),
        (answer({"detail": "billing"}, 409), FailureCode.NO_CREDIT),
        (answer({"detail": "Application not found"}, 404), FailureCode.NOT_FOUND),
        (answer({"error": "monthly credits used"}, 402), FailureCode.NO_CREDIT),
        (answer({"detail": "Too many"}, 429, retry_after="2"), FailureCode.RATE_LIMITED),
        (answer({"detail": "x"}, 500), FailureCode.UPSTREAM_FAILED),
        (answer({"detail": "x"}, 503), FailureCode.CAPACITY),
        (HttpResponse(502, {}, b"<html>nginx</html>"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(200, {}, b"<html></html>"), FailureCode.BAD_PAYLOAD),
        (answer({"request_id": "x"}), FailureCode.BAD_PAYLOAD),
        (queued(path="/fal-ai/flux/requests/.."), FailureCode.BAD_PAYLOAD),
        (queued(path="/../../requests/x"), FailureCode.BAD_PAYLOAD),
        (queued(path="/v1/users"), FailureCode.BAD_PAYLOAD),
    ],
)
def test_refused_submissions(response: HttpResponse, code: FailureCode) -> None:
    http = ScriptedHttp([response])
    with pytest.raises(UpstreamError) as caught:
        fal(http).submit(asked())
    assert caught.value.failure.code is code
    assert "<" not in caught.value.failure.message
    assert len(http.requests) == 1


def check(*responses: HttpResponse) -> Any:
    return fal(ScriptedHttp(list(responses))).check(Ticket({"path": REQUEST}), 0)


COMPLETED = answer({"status": "COMPLETED", "metrics": {"inference_time": 0.5}})


def failed_as(error_type: Any) -> HttpResponse:
    return answer({"status": "COMPLETED", "error": "boom", "error_type": error_type})


@pytest.mark.parametrize("status", ["IN_QUEUE", "IN_PROGRESS", "PAUSED", None, 7, ["COMPLETED"]])
def test_a_status_that_is_no_known_end_is_pending(status: Any) -> None:
    assert check(answer({"status": status}, 202)) == Pending()


@pytest.mark.parametrize(
    ("result", "urls"),
    [
        ({"images": [{"url": URL, "content_type": "image/jpeg"}], "seed": 7, "has_nsfw_concepts": [False]}, [URL]),
        ({"images": [{"url": URL}, {"url": f"{URL}2"}], "seed": 7, "has_nsfw_concepts": [True, False]}, [f"{URL}2"]),
        ({"images": [{"url": URL}, "odd", {}], "seed": 7}, [URL]),
        ({"image": {"url": URL}, "seed": 7}, [URL]),
    ],
)
def test_a_result_has_addresses(result: Any, urls: list[str]) -> None:
    assert check(COMPLETED, answer(result)) == Ready(sources=tuple(map(Source, urls)), seed=7)


@pytest.mark.parametrize("seed", [None, -1, 2**63, "7", True])
def test_an_odd_seed_is_not_told(seed: Any) -> None:
    assert check(COMPLETED, answer({"images": [{"url": URL}], "seed": seed})).seed is None


@pytest.mark.parametrize(
    ("responses", "code"),
    [
        (
            [answer({"status": "COMPLETED", "error": "boom", "error_type": "internal_error"})],
            FailureCode.UPSTREAM_FAILED,
        ),
        (
            [answer({"status": "COMPLETED", "error": "x", "error_type": "request_timeout"})],
            FailureCode.UPSTREAM_TIMEOUT,
        ),
        ([answer({"status": "COMPLETED", "error": "x", "error_type": ["odd"]})], FailureCode.UPSTREAM_FAILED),
        ([answer({"detail": "no"}, 404)], FailureCode.EXPIRED),
        ([COMPLETED, answer({"detail": "no"}, 404)], FailureCode.EXPIRED),
        ([COMPLETED, answer(detail("content_policy_violation"), 422)], FailureCode.CONTENT_FILTERED),
        ([COMPLETED, answer(detail("image_too_small"), 422)], FailureCode.INVALID_REQUEST),
        ([COMPLETED, answer(detail("downstream_service_error"), 422)], FailureCode.UPSTREAM_FAILED),
        ([COMPLETED, answer({"detail": "boom"}, 500)], FailureCode.UPSTREAM_FAILED),
        ([COMPLETED, answer({"detail": "x", "error_type": "startup_timeout"}, 504)], FailureCode.UPSTREAM_TIMEOUT),
        (
            [COMPLETED, answer({"detail": "x"}, 503, x_fal_error_type="runner_disconnected")],
            FailureCode.UPSTREAM_FAILED,
        ),
        ([COMPLETED, answer({"images": [{"url": URL}], "has_nsfw_concepts": [True]})], FailureCode.CONTENT_FILTERED),
        ([COMPLETED, answer({"images": []})], FailureCode.BAD_PAYLOAD),
        ([COMPLETED, answer([])], FailureCode.BAD_PAYLOAD),
    ],
)
def test_ends_without_a_picture(responses: list[HttpResponse], code: FailureCode) -> None:
    failed = check(*responses)
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


@pytest.mark.parametrize(
    "responses",
    [
        [answer({}, 500)],
        [answer({}, 429)],
        [answer([])],
        [COMPLETED, answer({"detail": "Gateway Timeout"}, 504)],
        [COMPLETED, answer({"detail": "x"}, 503)],
        [COMPLETED, answer({"detail": "x"}, 429)],
        [COMPLETED, answer({"detail": "x"}, 401)],
        [COMPLETED, HttpResponse(500, {}, b"<html>nginx</html>")],
        [COMPLETED, HttpResponse(502, {}, b"<html>nginx</html>")],
    ],
)
def test_a_check_that_fails_is_no_verdict(responses: list[HttpResponse]) -> None:
    with pytest.raises(UpstreamError):
        check(*responses)


def test_cancelling_never_fails() -> None:
    http = ScriptedHttp([answer({}, 202), answer({}, 404)])
    for _ in range(2):
        fal(http).cancel(Ticket({"path": REQUEST}))
    assert (http.requests[0].method, http.requests[0].url) == ("PUT", f"{BASE}{REQUEST}/cancel")
