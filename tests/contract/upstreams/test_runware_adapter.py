"""The provider `runware` on its stand-in; what it has in common with all others is in test_every_provider.py."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import Provider
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, png, provider_on


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def runware(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "runware", http)


def asked(prompt: str = "a fox", count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux-2-dev", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model="runware:400@1", count=count, idempotency_key=secrets.token_hex())


def submitted(http: CountingHttp) -> int:
    """How often a task was sent, questions about it not counted."""
    return sum(request.json[0]["taskType"] == "imageInference" for request in http.sent)


@pytest.mark.parametrize("size", [Size(512, 512), Size(2048, 1024), Size(1000, 700)])
def test_the_size_that_the_limits_promise(runware: Provider, http: CountingHttp, size: Size) -> None:
    request = asked(size=size)
    promised = runware.limits.size_for(request.request)
    [picture] = http.pictures(end_of(runware, runware.submit(request)), runware)
    assert (picture.format, picture.size) == ("PNG", (promised.width, promised.height))


def test_several_pictures_in_one_task_and_what_they_cost(runware: Provider, submissions: Submissions) -> None:
    ready = end_of(runware, runware.submit(asked(count=3)))
    assert isinstance(ready, Ready)
    assert (len(ready.bodies), ready.micro_dollars, len(submissions())) == (3, 1800, 1)


def test_fewer_than_asked_for_are_a_success(runware: Provider) -> None:
    ready = end_of(runware, runware.submit(asked("[fault fewer] a fox", count=3)))
    assert isinstance(ready, Ready)
    assert len(ready.bodies) == 2


def test_pictures_to_work_from_arrive(runware: Provider, http: CountingHttp) -> None:
    request = replace(asked(), inputs=(InputBody(png(), "image/png"),))
    assert http.pictures(end_of(runware, runware.submit(request)), runware)


def test_a_submission_that_is_delivered_twice_is_one(runware: Provider, submissions: Submissions) -> None:
    request = asked()
    tickets = [runware.submit(request) for _ in range(2)]
    assert tickets[0] == tickets[1]
    assert isinstance(end_of(runware, tickets[0]), Ready)
    assert len(submissions()) == 1


@pytest.mark.parametrize("fault", ["drop", "accepted-then-hang"])
def test_a_submission_whose_answer_is_lost_is_found_again(
    runware: Provider, http: CountingHttp, submissions: Submissions, fault: str
) -> None:
    http.patience = HURRY
    ticket = runware.submit(asked(f"[fault {fault} at submit] a fox"))
    assert isinstance(end_of(runware, ticket), Ready)
    assert (submitted(http), len(submissions())) == (1, 1)


def test_one_that_was_never_accepted_stays_ambiguous_and_can_be_repeated(
    runware: Provider, http: CountingHttp, submissions: Submissions
) -> None:
    http.patience = HURRY
    request = asked("[fault hang x1] a fox")
    with pytest.raises(UpstreamError) as caught:
        runware.submit(request)
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (submitted(http), submissions()) == (1, [])
    assert isinstance(end_of(runware, runware.submit(replace(request, repeated=True))), Ready)
    assert len(submissions()) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("http-401", FailureCode.AUTH),
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-500", FailureCode.UPSTREAM_FAILED),
        ("http-503", FailureCode.CAPACITY),
        ("html", FailureCode.BAD_PAYLOAD),
        ("quota", FailureCode.NO_CREDIT),
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("no-model", FailureCode.NOT_FOUND),
        ("nonsense", FailureCode.INVALID_REQUEST),
    ],
)
def test_a_refused_submission_is_one_post_and_costs_nothing(
    runware: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        runware.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("provider-busy", FailureCode.UPSTREAM_FAILED),
        ("provider-timeout", FailureCode.UPSTREAM_TIMEOUT),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("gone at check", FailureCode.EXPIRED),
    ],
)
def test_verdicts(runware: Provider, submissions: Submissions, fault: str, code: FailureCode) -> None:
    failed = end_of(runware, runware.submit(asked(f"[fault {fault}] a fox")))
    assert isinstance(failed, Failed)
    assert (failed.failure.code, len(submissions())) == (code, 1)


@pytest.mark.parametrize("fault", ["http-401", "http-429", "http-503", "html", "drop"])
def test_a_question_that_fails_is_no_verdict(runware: Provider, fault: str) -> None:
    ticket = runware.submit(asked(f"[fault {fault} at check x1] a fox"))
    with pytest.raises(UpstreamError):
        runware.check(ticket, 0)
    assert isinstance(end_of(runware, ticket), Ready)


def test_a_task_that_is_not_known_has_expired(runware: Provider) -> None:
    check = runware.check(Ticket({"id": "2b5c9f0e-7a55-4c3f-9c56-0d3c1f0a2b11"}), 0)
    assert isinstance(check, Failed)
    assert check.failure.code is FailureCode.EXPIRED
