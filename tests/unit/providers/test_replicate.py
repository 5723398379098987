"""Replicate: predictions built, answers understood (docs/protocols/replicate.md)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.replicate import Replicate, ReplicateConfig, build_prediction
from imagegate.providers.replicate_models import build_input
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://api.replicate.com/v1"
ID = "rrr4z55ocneqzikepnug6xezpe"
SCHNELL = "black-forest-labs/flux-schnell"
URL = "https://replicate.delivery/xezq/abc/out-0.webp"
CREATED = {
    "id": ID,
    "model": SCHNELL,
    "version": "hidden",
    "input": {"prompt": "a cat", "seed": 7},
    "logs": "",
    "output": None,
    "data_removed": False,
    "error": None,
    "status": "starting",
    "created_at": "2026-11-28T10:00:00.000Z",
    "urls": {"cancel": f"{BASE}/predictions/{ID}/cancel", "get": f"{BASE}/predictions/{ID}"},
}
LOST = UpstreamError(Failure(FailureCode.AMBIGUOUS, "no answer in time"))


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(document).encode())


def replicate(http: ScriptedHttp, **config: Any) -> Replicate:
    return Replicate("replicate", BASE, http, NoSecrets({"REPLICATE_API_TOKEN": "r8_x"}), ReplicateConfig(**config))


def asked(model: str = SCHNELL, count: int = 1, inputs: int = 0, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message("a cat"),)), **changes)
    pictures = (InputBody(b"\x89PNG", "image/png"),) * inputs
    return UpstreamRequest(request=request, model=model, count=count, inputs=pictures, idempotency_key="op_1-0-1")


def test_a_submission_is_one_post_with_the_token() -> None:
    http = ScriptedHttp([answer(CREATED, 201)])
    assert replicate(http).submit(asked(seed=7)) == Ticket({"id": ID, "seed": 7})
    [sent] = http.requests
    assert (sent.method, sent.url) == ("POST", f"{BASE}/models/{SCHNELL}/predictions")
    assert sent.headers == {"authorization": "Bearer r8_x"}
    assert sent.json == {"input": {"prompt": "a cat", "aspect_ratio": "1:1", "seed": 7}}


def test_a_model_with_a_version_is_asked_for_by_it() -> None:
    path, body = build_prediction(asked("owner/name:5c7d", seed=7))
    assert (path, body["version"]) == ("/predictions", "5c7d")


@pytest.mark.parametrize(
    ("upstream_request", "fields"),
    [
        (asked(size=Size(1920, 1080)), {"aspect_ratio": "16:9"}),
        (asked(ratio=(2, 3)), {"aspect_ratio": "2:3"}),
        (asked(ratio=(21, 9)), {"aspect_ratio": "16:9"}),
        (asked(output_format="jpeg"), {"output_format": "jpg"}),
        (asked(output_format="webp"), {"output_format": "png"}),
        (asked(count=3), {"num_outputs": 3}),
        (asked(steps=2), {"num_inference_steps": 2}),
        (asked("o/flux-dev", steps=28, guidance=3.5), {"num_inference_steps": 28, "guidance": 3.5}),
        (
            asked("o/flux-2-pro", inputs=2),
            {"aspect_ratio": "match_input_image", "input_images": ["data:image/png;base64,iVBORw=="] * 2},
        ),
        (
            asked("o/flux-kontext-pro", inputs=1, ratio=(3, 2)),
            {"aspect_ratio": "3:2", "input_image": "data:image/png;base64,iVBORw=="},
        ),
    ],
    ids=str,
)
def test_what_is_asked_for_is_in_the_input(upstream_request: UpstreamRequest, fields: dict[str, Any]) -> None:
    built = build_input(upstream_request)
    assert {name: built[name] for name in fields} == fields


@pytest.mark.parametrize("model", ["o/flux-2-pro", "o/flux-kontext-pro", "o/unheard-of"])
def test_nothing_is_sent_that_the_model_does_not_take(model: str) -> None:
    built = build_input(asked(model, count=2, steps=4, guidance=3.0))
    assert built.keys() == {"prompt", "aspect_ratio", "seed"}


def test_limits_are_those_of_the_model() -> None:
    config = ReplicateConfig()
    schnell, kontext, plain = map(config.limits_for, (SCHNELL, "o/flux-kontext-pro", "o/unheard-of"))
    assert (schnell.images_per_call, schnell.steps_maximum, schnell.input_images) == (4, 4, 0)
    assert (kontext.images_per_call, kontext.steps_maximum, kontext.input_images) == (1, None, 1)
    assert schnell.capabilities == {"seed", "steps"}
    assert plain == config.limits
    assert plain.capabilities == {"seed"}
    assert (plain.recovers_submissions, ReplicateConfig(lists=False).limits.recovers_submissions) == (True, False)


def test_without_a_seed_each_submission_has_one_of_its_own() -> None:
    first, same = build_input(asked()), build_input(asked())
    other = build_input(replace(asked(), idempotency_key="op_2-0-1"))
    assert first["seed"] == same["seed"] != other["seed"]
    assert 0 <= first["seed"] < 2**31


def listed(*predictions: Any) -> HttpResponse:
    return answer({"next": None, "previous": None, "results": list(predictions)})


def test_a_lost_submission_is_found_by_its_input() -> None:
    others = [CREATED | {"id": "other", "input": {"prompt": "a cat", "seed": 8}}, CREATED | {"input": {}}, "odd"]
    http = ScriptedHttp([LOST, listed(*others, CREATED)])
    assert replicate(http).submit(asked(seed=7)) == Ticket({"id": ID, "seed": 7})
    assert [(sent.method, sent.url) for sent in http.requests][1:] == [("GET", f"{BASE}/predictions")]


@pytest.mark.parametrize("found", [listed(), answer({}, 500), answer({"results": 7}), LOST])
def test_a_lost_submission_that_is_not_found_stays_ambiguous(found: Any) -> None:
    http = ScriptedHttp([LOST, found])
    with pytest.raises(UpstreamError) as caught:
        replicate(http).submit(asked(seed=7))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert [sent.method for sent in http.requests] == ["POST", "GET"]


def test_a_repeated_submission_is_looked_for_before_it_is_made() -> None:
    http = ScriptedHttp([listed(CREATED)])
    assert replicate(http).submit(replace(asked(seed=7), repeated=True)) == Ticket({"id": ID, "seed": 7})
    http = ScriptedHttp([listed(), answer(CREATED, 201)])
    replicate(http).submit(replace(asked(seed=7), repeated=True))
    assert [sent.method for sent in http.requests] == ["GET", "POST"]


@pytest.mark.parametrize("refused", [answer({}, 503), LOST])
def test_a_repeated_submission_that_cannot_be_looked_for_is_not_made(refused: Any) -> None:
    http = ScriptedHttp([refused])
    with pytest.raises(UpstreamError):
        replicate(http).submit(replace(asked(seed=7), repeated=True))
    assert [sent.method for sent in http.requests] == ["GET"]


def test_what_cannot_be_listed_is_not_looked_for() -> None:
    http = ScriptedHttp([LOST])
    with pytest.raises(UpstreamError):
        replicate(http, lists=False).submit(asked(seed=7))
    assert len(http.requests) == 1


@pytest.mark.parametrize(
    ("response", "code", "retry_after"),
    [
        (answer({"detail": "- input.seed: Invalid type"}, 422), FailureCode.INVALID_REQUEST, None),
        (answer({"detail": "The specified version does not exist (or perhaps…)"}, 422), FailureCode.NOT_FOUND, None),
        (answer({"detail": "Invalid version or not permitted"}, 422), FailureCode.NOT_FOUND, None),
        (answer({"title": "Unauthenticated", "detail": "no valid token"}, 401), FailureCode.AUTH, None),
        (answer({"title": "Insufficient credit", "detail": "no credit"}, 402), FailureCode.NO_CREDIT, None),
        (answer({"detail": "denied"}, 403), FailureCode.AUTH, None),
        (answer({"detail": "not found"}, 404), FailureCode.NOT_FOUND, None),
        (
            answer({"detail": "Request was throttled. Your rate limit resets in ~30s."}, 429),
            FailureCode.RATE_LIMITED,
            30,
        ),
        (answer({"detail": "throttled"}, 429, **{"retry-after": "2"}), FailureCode.RATE_LIMITED, 2),
        (answer({"detail": "throttled"}, 429), FailureCode.RATE_LIMITED, None),
        (answer({"detail": "oops"}, 500), FailureCode.UPSTREAM_FAILED, None),
        (answer({"detail": "oops"}, 503), FailureCode.CAPACITY, None),
        (HttpResponse(502, {}, b"<html>Bad gateway</html>"), FailureCode.UPSTREAM_FAILED, None),
        (HttpResponse(200, {}, b"<html>welcome</html>"), FailureCode.BAD_PAYLOAD, None),
        (answer({"id": "../keys"}, 201), FailureCode.BAD_PAYLOAD, None),
        (answer({"id": 7}, 201), FailureCode.BAD_PAYLOAD, None),
        (answer([], 201), FailureCode.BAD_PAYLOAD, None),
    ],
)
def test_refused_submissions(response: HttpResponse, code: FailureCode, retry_after: float | None) -> None:
    http = ScriptedHttp([response])
    with pytest.raises(UpstreamError) as caught:
        replicate(http).submit(asked())
    assert (caught.value.failure.code, caught.value.failure.retry_after) == (code, retry_after)
    assert "<" not in caught.value.failure.message
    assert len(http.requests) == 1


def check(response: HttpResponse) -> Any:
    return replicate(ScriptedHttp([response])).check(Ticket({"id": ID, "seed": 7}), 0)


@pytest.mark.parametrize("status", ["starting", "processing", "queued_somewhere", None, 7, ["failed"]])
def test_a_status_that_is_no_known_end_is_pending(status: Any) -> None:
    assert check(answer(CREATED | {"status": status})) == Pending()


@pytest.mark.parametrize("output", [URL, [URL]])
def test_a_success_has_addresses(output: Any) -> None:
    ended = CREATED | {"status": "succeeded", "output": output, "metrics": {"predict_time": 0.5}}
    assert check(answer(ended)) == Ready(sources=(Source(URL),), seed=7)


def test_fewer_pictures_than_asked_for_are_a_success() -> None:
    assert len(check(answer(CREATED | {"status": "succeeded", "output": [URL, None, URL]})).sources) == 2


@pytest.mark.parametrize("output", [None, [], "", {}, [7]])
def test_a_success_without_a_picture(output: Any) -> None:
    assert check(answer(CREATED | {"status": "succeeded", "output": output})).failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "failed", "error": "NSFW content detected. Try a different prompt."}, FailureCode.CONTENT_FILTERED),
        ({"status": "failed", "error": "flagged as sensitive (E005)"}, FailureCode.CONTENT_FILTERED),
        ({"status": "failed", "error": "CUDA out of memory. (E1001)"}, FailureCode.UPSTREAM_FAILED),
        ({"status": "failed", "error": None}, FailureCode.UPSTREAM_FAILED),
        ({"status": "canceled", "error": "nsfw"}, FailureCode.UPSTREAM_FAILED),
        ({"status": "aborted"}, FailureCode.UPSTREAM_TIMEOUT),
        ({"status": "succeeded", "data_removed": True}, FailureCode.EXPIRED),
    ],
)
def test_ends_without_a_picture(change: dict[str, Any], code: FailureCode) -> None:
    failed = check(answer(CREATED | change))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


def test_a_prediction_that_is_gone_has_expired() -> None:
    assert check(answer({"detail": "not found"}, 404)).failure.code is FailureCode.EXPIRED


@pytest.mark.parametrize("response", [answer({}, 500), answer({}, 429), answer({}, 401), answer([])])
def test_a_check_that_fails_is_no_verdict(response: HttpResponse) -> None:
    with pytest.raises(UpstreamError):
        check(response)


def test_cancelling_never_fails() -> None:
    http = ScriptedHttp([answer(CREATED), answer({}, 404), LOST])
    for _ in range(3):
        replicate(http).cancel(Ticket({"id": ID}))
    assert (http.requests[0].method, http.requests[0].url) == ("POST", f"{BASE}/predictions/{ID}/cancel")
