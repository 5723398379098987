"""The provider `replicate` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import Provider
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, png, provider_on

SCHNELL = "black-forest-labs/flux-schnell"


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def replicate(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "replicate", http)


def asked(prompt: str = "a fox", model: str = SCHNELL, count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model=model, count=count, idempotency_key=f"key {prompt}")


@pytest.mark.parametrize("ratio", [(1, 1), (16, 9), (2, 3), (3, 1)])
def test_the_shape_that_the_limits_promise(replicate: Provider, http: CountingHttp, ratio: tuple[int, int]) -> None:
    request = asked(ratio=ratio)
    size = replicate.limits.size_for(request.request)
    [picture] = http.pictures(end_of(replicate, replicate.submit(request)), replicate)
    assert picture.size == (size.width, size.height)


def test_several_pictures_in_one_prediction(replicate: Provider, http: CountingHttp, submissions: Submissions) -> None:
    ready = end_of(replicate, replicate.submit(asked(count=3)))
    assert len(http.pictures(ready, replicate)) == 3
    assert len(submissions()) == 1


def test_fewer_than_asked_for_are_a_success(replicate: Provider) -> None:
    ready = end_of(replicate, replicate.submit(asked("[fault fewer] a fox", count=3)))
    assert isinstance(ready, Ready)
    assert len(ready.sources) == 2


def test_pictures_to_work_from_arrive(replicate: Provider, http: CountingHttp) -> None:
    for model in ("black-forest-labs/flux-2-pro", "black-forest-labs/flux-kontext-pro"):
        request = replace(asked(model=model), inputs=(InputBody(png(), "image/png"),))
        assert http.pictures(end_of(replicate, replicate.submit(request)), replicate)


@pytest.mark.parametrize(
    ("fault", "code", "retry_after"),
    [
        ("throttled", FailureCode.RATE_LIMITED, 30),
        ("quota", FailureCode.NO_CREDIT, None),
        ("http-401", FailureCode.AUTH, None),
        ("http-503", FailureCode.CAPACITY, None),
        ("http-500", FailureCode.UPSTREAM_FAILED, None),
        ("nonsense", FailureCode.INVALID_REQUEST, None),
    ],
)
def test_a_refused_submission_is_one_post_and_costs_nothing(
    replicate: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: Any, retry_after: Any
) -> None:
    with pytest.raises(UpstreamError) as caught:
        replicate.submit(asked(f"[fault {fault}] a fox"))
    assert (caught.value.failure.code, caught.value.failure.retry_after) == (code, retry_after)
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize("fault", ["drop", "accepted-then-hang"])
def test_a_submission_whose_answer_is_lost_is_found_and_not_repeated(
    replicate: Provider, http: CountingHttp, submissions: Submissions, fault: str
) -> None:
    http.patience = HURRY
    ticket = replicate.submit(asked(f"[fault {fault} at submit] a fox"))
    assert isinstance(end_of(replicate, ticket), Ready)
    assert (http.posts, len(submissions())) == (1, 1)


def test_a_submission_that_is_delivered_twice_is_one_prediction(
    replicate: Provider, http: CountingHttp, submissions: Submissions
) -> None:
    tickets = [replicate.submit(replace(asked(), repeated=repeated)) for repeated in (False, True)]
    assert tickets[0] == tickets[1]
    assert (http.posts, len(submissions())) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("out-of-memory", FailureCode.UPSTREAM_FAILED),
        ("aborted", FailureCode.UPSTREAM_TIMEOUT),
        ("removed", FailureCode.EXPIRED),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("gone at check", FailureCode.EXPIRED),
    ],
)
def test_ends_without_a_picture(replicate: Provider, fault: str, code: FailureCode) -> None:
    failed = end_of(replicate, replicate.submit(asked(f"[fault {fault}] a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


def test_a_cancelled_prediction_has_ended(replicate: Provider) -> None:
    ticket = replicate.submit(asked("[delay 30s] a fox"))
    assert isinstance(ticket, Ticket)
    replicate.cancel(ticket)
    failed = end_of(replicate, ticket)
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.UPSTREAM_FAILED
