"""Runware: what is sent, and what is made of its answers. Contract: docs/protocols/runware.md."""

import base64
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.runware import Runware, RunwareConfig, build_task, parse_accepted, parse_results, task_id
from support.fakes import NoSecrets, ScriptedHttp

URL = "https://api.runware.test/v1"
ID = task_id("op-0-1")
PNG = b"\x89PNG..."
LOST = UpstreamError(Failure(FailureCode.AMBIGUOUS, "no answer in time"))


def answer(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


def of_task(**fields: Any) -> dict[str, Any]:
    return {"taskType": "imageInference", "taskUUID": ID, **fields}


def picture(seed: int, cost: float | None = 0.0077) -> dict[str, Any]:
    told = {} if cost is None else {"cost": cost}
    return of_task(status="success", imageUUID="i", seed=seed, imageBase64Data=base64.b64encode(PNG).decode(), **told)


def failed(code: str, status: int = 200, **fields: Any) -> HttpResponse:
    return answer({"errors": [of_task(code=code, message="because", **fields)]}, status)


ACCEPTED = answer({"data": [of_task()]})
WORKING = answer({"data": [of_task(status="processing")]})
CONFLICT = failed("conflictTaskUUID", 400)
GONE = failed("taskNotFound", 404, taskType="getResponse")


def asked(count: int = 1, model: str = "runware:400@1", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux-2-dev", messages=(Message("a fox"),)), **changes)
    return UpstreamRequest(request=request, model=model, count=count, idempotency_key="op-0-1")


def made(*answers: HttpResponse | UpstreamError) -> tuple[Runware, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return Runware("runware", URL, http, NoSecrets({"RUNWARE_API_KEY": "k\n"}), RunwareConfig()), http


def test_a_task_says_what_was_asked_for_and_no_more() -> None:
    assert build_task(asked()) == {
        "taskType": "imageInference", "taskUUID": ID, "deliveryMethod": "async", "model": "runware:400@1",
        "positivePrompt": "a fox", "width": 1024, "height": 1024, "numberResults": 1, "outputType": "base64Data",
        "outputFormat": "PNG", "includeCost": True,
    }  # fmt: skip
    full = build_task(
        asked(3, seed=0, steps=7, guidance=2.5, negative_prompt="dogs", size=Size(700, 500), output_format="jpeg")
    )
    wanted = {"seed": 0, "steps": 7, "CFGScale": 2.5, "negativePrompt": "dogs", "width": 704, "height": 512}
    assert {name: full[name] for name in wanted} == wanted
    assert (full["numberResults"], full["outputFormat"]) == (3, "JPG")


def test_pictures_that_would_not_fit_into_one_answer_are_asked_for_in_several() -> None:
    assert build_task(asked(4, size=Size(2048, 2048)))["numberResults"] == 2
    assert build_task(asked(4))["numberResults"] == 4


def test_pictures_to_work_from_go_to_the_models_that_take_them() -> None:
    task = build_task(replace(asked(), inputs=(InputBody(b"x", "image/webp"),)))
    assert task["inputs"] == {"referenceImages": ["data:image/webp;base64,eA=="]}
    limits = RunwareConfig()
    assert limits.limits_for("runware:400@1").works_from(4, prompted=True)
    assert not limits.limits_for("runware:100@1").works_from(1, prompted=True)


def test_an_id_is_a_uuid_v4_made_of_the_key() -> None:
    assert uuid.UUID(ID).version == 4
    assert task_id("op-0-1") == ID != task_id("op-0-2")
    assert task_id("") != task_id("")


def test_a_submission_is_one_post_with_the_key() -> None:
    runware, http = made(ACCEPTED)
    assert runware.submit(asked()) == Ticket({"id": ID})
    [request] = http.requests
    assert (request.method, request.url, request.headers) == ("POST", URL, {"authorization": "Bearer k"})
    assert [task["taskUUID"] for task in request.json] == [ID]
    assert not request.idempotent


@pytest.mark.parametrize("known", [WORKING, answer({"data": [picture(1)]}), failed("inferenceError")])
def test_a_submission_whose_answer_is_lost_is_looked_up(known: HttpResponse) -> None:
    runware, http = made(LOST, known)
    assert runware.submit(asked()) == Ticket({"id": ID})
    assert http.requests[1].json == [{"taskType": "getResponse", "taskUUID": ID}]
    assert http.requests[1].idempotent


@pytest.mark.parametrize("unknown", [GONE, LOST, failed("rateLimitExceeded", 429, taskType="getResponse")])
def test_one_that_is_not_there_or_cannot_be_asked_for_stays_ambiguous(unknown: HttpResponse | UpstreamError) -> None:
    runware, _ = made(LOST, unknown)
    with pytest.raises(UpstreamError) as caught:
        runware.submit(asked())
    assert caught.value.failure.code is FailureCode.AMBIGUOUS


def test_a_conflict_says_that_it_was_accepted_before() -> None:
    runware, _ = made(CONFLICT)
    assert runware.submit(asked()) == Ticket({"id": ID})


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (failed("invalidApiKey", 401), FailureCode.AUTH),
        (failed("missingApiKey", 401), FailureCode.AUTH),
        (failed("workspaceSuspended", 403), FailureCode.AUTH),
        (failed("insufficientCredits", 402), FailureCode.NO_CREDIT),
        (failed("rateLimitExceeded", 429), FailureCode.RATE_LIMITED),
        (failed("contentPolicyViolation", 400), FailureCode.CONTENT_FILTERED),
        (failed("providerContentPolicyViolation", 400), FailureCode.CONTENT_FILTERED),
        (failed("invalidProviderContent", 400), FailureCode.CONTENT_FILTERED),
        (failed("promptBlocked", 400), FailureCode.CONTENT_FILTERED),
        (failed("providerAuthenticationFailed", 400), FailureCode.UPSTREAM_FAILED),
        (failed("providerTimeout", 400), FailureCode.UPSTREAM_TIMEOUT),
        (failed("timeoutProvider", 400), FailureCode.UPSTREAM_TIMEOUT),
        (failed("modelNotFound", 404), FailureCode.NOT_FOUND),
        (failed("invalidModel", 400), FailureCode.NOT_FOUND),
        (failed("unsupportedParameter", 400, parameter="model"), FailureCode.NOT_FOUND),
        (failed("noAvailableServer", 503), FailureCode.CAPACITY),
        (failed("modelUnavailable", 400), FailureCode.CAPACITY),
        (failed("invalidWidth", 400), FailureCode.INVALID_REQUEST),
        (failed("unknownParameter", 400), FailureCode.INVALID_REQUEST),
        (failed("internalServerError", 500), FailureCode.UPSTREAM_FAILED),
        (failed("somethingWeird", 400), FailureCode.INVALID_REQUEST),
        (failed("somethingWeird"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(503, {}, b"<html>"), FailureCode.CAPACITY),
        (HttpResponse(200, {}, b"<html>"), FailureCode.BAD_PAYLOAD),
        (answer({"data": []}), FailureCode.BAD_PAYLOAD),
        (answer({"errors": "none", "data": [1]}), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.status} {value.body.decode()[:40]}",
)
def test_what_a_submission_is_refused_for(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_accepted("runware", response)
    assert caught.value.failure.code is code


def test_pictures_seed_and_cost() -> None:
    assert parse_results("runware", answer({"data": [picture(7)]}), ID) == Ready(
        bodies=(PNG,), seed=7, micro_dollars=7700
    )
    several = parse_results("runware", answer({"data": [picture(7), picture(8)]}), ID)
    assert several == Ready(bodies=(PNG, PNG), micro_dollars=15_400)
    assert parse_results("runware", answer({"data": [picture(7, None)]}), ID) == Ready(bodies=(PNG,), seed=7)


def test_it_is_pending_while_one_generation_is() -> None:
    assert parse_results("runware", WORKING, ID) == Pending()
    assert parse_results("runware", ACCEPTED, ID) == Pending()
    assert parse_results("runware", answer({"data": [picture(1), of_task(status="queued")]}), ID) == Pending()
    assert parse_results("runware", answer({"data": []}), ID) == Pending()


def test_fewer_pictures_than_asked_for_are_a_success() -> None:
    mixed = {"data": [picture(7)], "errors": [of_task(code="nsfwContentDetected", message="no")]}
    assert isinstance(parse_results("runware", answer(mixed), ID), Ready)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (failed("contentPolicyViolation"), FailureCode.CONTENT_FILTERED),
        (failed("contentPolicyViolation", 400), FailureCode.CONTENT_FILTERED),
        (answer({"data": [of_task(status="error", code="nsfwContentDetected")]}), FailureCode.CONTENT_FILTERED),
        (failed("inferenceError"), FailureCode.UPSTREAM_FAILED),
        (failed("providerRateLimitExceeded"), FailureCode.UPSTREAM_FAILED),
        (failed("providerUnavailable"), FailureCode.UPSTREAM_FAILED),
        (failed("providerTimeout"), FailureCode.UPSTREAM_TIMEOUT),
        (GONE, FailureCode.EXPIRED),
        (answer({"data": [of_task(status="success", imageUUID="i")]}), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_verdicts(response: HttpResponse, code: FailureCode) -> None:
    check = parse_results("runware", response, ID)
    assert isinstance(check, Failed)
    assert check.failure.code is code


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (failed("rateLimitExceeded", 429, taskType="getResponse"), FailureCode.RATE_LIMITED),
        (answer({"errors": [{"code": "invalidApiKey", "message": "x"}]}, 401), FailureCode.AUTH),
        (failed("internalServerError", 500), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(502, {}, b"<html>"), FailureCode.UPSTREAM_FAILED),
        (HttpResponse(200, {}, b"<html>"), FailureCode.BAD_PAYLOAD),
    ],
    ids=lambda value: value if isinstance(value, str) else value.body.decode()[:60],
)
def test_a_question_that_fails_is_no_verdict(response: HttpResponse, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parse_results("runware", response, ID)
    assert caught.value.failure.code is code
