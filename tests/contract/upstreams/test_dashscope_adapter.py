"""The providers of DashScope on their stand-ins; what they share with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import Provider
from imagegate.providers import dashscope
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, png, provider_on

MODELS = ["qwen-image-2.0", "wan2.6-t2i", "wan2.2-t2i-flash"]


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(stand_ins: str, http: CountingHttp, client: object, model: str) -> Provider:
    return provider_on(stand_ins, "dashscope" if model == MODELS[0] else "dashscope-tasks", http)


@pytest.fixture
def tasks(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "dashscope-tasks", http)


def asked(model: str, prompt: str = "a fox", count: int = 1, **changes: Any) -> UpstreamRequest:
    return UpstreamRequest(
        request=replace(ImageRequest(model="m", messages=(Message(prompt),)), **changes), model=model, count=count
    )


def end(provider: Provider, request: UpstreamRequest) -> Ready | Failed:
    """How it ends, be it at once."""
    try:
        return end_of(provider, provider.submit(request))
    except UpstreamError as error:
        return Failed(error.failure)


def code_of(failed: Ready | Failed) -> FailureCode:
    assert isinstance(failed, Failed), failed
    return failed.failure.code


def test_the_size_that_the_limits_promise(provider: Provider, model: str, http: CountingHttp) -> None:
    request = asked(model, ratio=(3, 2), seed=7)
    config = dashscope.DashScopeConfig(tasks=provider.name == "dashscope-tasks")
    size = config.limits_for(model).size_for(request.request)
    ready = end(provider, request)
    [picture] = http.pictures(ready, provider)
    assert picture.size == (size.width, size.height)
    assert isinstance(ready, Ready)
    assert ready.seed == 7


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "pictures"), [("", 3), ("[fault fewer] ", 2)])
def test_several_pictures_in_one_submission(
    provider: Provider, model: str, http: CountingHttp, submissions: Submissions, fault: str, pictures: int
) -> None:
    ready = end(provider, asked(model, f"{fault}a fox", 3))
    assert len(http.pictures(ready, provider)) == pictures
    assert len(submissions()) == 1


def test_pictures_to_work_from_arrive(stand_ins: str, http: CountingHttp, client: object) -> None:
    qwen = provider_on(stand_ins, "dashscope", http)
    request = replace(asked(MODELS[0]), inputs=(InputBody(png(), "image/png"),))
    assert http.pictures(end(qwen, request), qwen)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("http-401", FailureCode.AUTH, 0),
        ("http-429", FailureCode.RATE_LIMITED, 0),
        ("http-503", FailureCode.CAPACITY, 0),
        ("http-500", FailureCode.UPSTREAM_FAILED, 0),
        ("html", FailureCode.BAD_PAYLOAD, 0),
        ("error-in-200", FailureCode.RATE_LIMITED, 0),
        ("no-model", FailureCode.NOT_FOUND, 0),
        ("denied", FailureCode.AUTH, 0),
        ("quota", FailureCode.NO_CREDIT, 0),
        ("refuse", FailureCode.CONTENT_FILTERED, 0),
        ("nonsense", FailureCode.INVALID_REQUEST, 0),
        ("hang", FailureCode.AMBIGUOUS, 0),
        ("accepted-then-hang", FailureCode.AMBIGUOUS, 1),
        ("drop at submit", FailureCode.AMBIGUOUS, 1),
        ("refuse-late", FailureCode.CONTENT_FILTERED, 1),
        ("error", FailureCode.UPSTREAM_FAILED, 1),
        ("no-image", FailureCode.BAD_PAYLOAD, 1),
    ],
)
def test_a_submission_is_one_post_however_it_fails(
    provider: Provider,
    model: str,
    http: CountingHttp,
    submissions: Submissions,
    fault: str,
    code: FailureCode,
    accepted: int,
) -> None:
    http.patience = HURRY
    assert code_of(end(provider, asked(model, f"[fault {fault}] a fox"))) is code
    assert (http.posts, len(submissions())) == (1, accepted)


@pytest.mark.parametrize("fault", ["http-401", "http-429", "http-503", "html", "drop"])
def test_a_question_that_fails_is_no_verdict(tasks: Provider, fault: str) -> None:
    ticket = tasks.submit(asked("wan2.6-t2i", f"[fault {fault} at check x1] a fox"))
    assert isinstance(ticket, Ticket)
    with pytest.raises(UpstreamError):
        tasks.check(ticket, 0)
    assert isinstance(end_of(tasks, ticket), Ready)


def test_a_task_that_is_forgotten_has_expired(tasks: Provider) -> None:
    assert code_of(end(tasks, asked("wan2.6-t2i", "[fault forgotten at check] a fox"))) is FailureCode.EXPIRED
    assert code_of(end_of(tasks, Ticket({"id": "never-there"}))) is FailureCode.EXPIRED


def test_a_task_is_cancelled_while_it_is_pending(tasks: Provider) -> None:
    ticket = tasks.submit(asked("wan2.6-t2i", "[delay 30s] a fox"))
    assert isinstance(ticket, Ticket)
    assert tasks.check(ticket, 0) == Pending()
    tasks.cancel(ticket)
    assert code_of(end_of(tasks, ticket)) is FailureCode.UPSTREAM_FAILED
