"""The provider `fal` on its stand-in; what it has in common with all others is in test_every_provider.py."""

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
from imagegate.providers.fal import FalConfig
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, png, provider_on

SCHNELL = "fal-ai/flux/schnell"


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def fal(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "fal", http)


def asked(prompt: str = "a fox", model: str = SCHNELL, count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model=model, count=count, idempotency_key=f"key {prompt}")


@pytest.mark.parametrize("model", [SCHNELL, "fal-ai/flux-2-pro", "fal-ai/flux-pro/kontext"])
@pytest.mark.parametrize("changes", [{}, {"ratio": (16, 9)}, {"size": Size(768, 1024)}], ids=str)
def test_the_size_that_the_limits_promise(fal: Provider, http: CountingHttp, model: str, changes: Any) -> None:
    request = asked(model=model, **changes)
    size = FalConfig().limits_for(model).size_for(request.request)
    [picture] = http.pictures(end_of(fal, fal.submit(request)), fal)
    assert picture.size == (size.width, size.height)


def test_several_pictures_in_one_request(fal: Provider, http: CountingHttp, submissions: Submissions) -> None:
    assert len(http.pictures(end_of(fal, fal.submit(asked(count=3))), fal)) == 3
    assert len(submissions()) == 1


@pytest.mark.parametrize("model", ["fal-ai/flux-2-pro", "fal-ai/flux-pro/kontext"])
def test_pictures_to_work_from_arrive(fal: Provider, http: CountingHttp, model: str) -> None:
    request = replace(asked(model=model), inputs=(InputBody(png(), "image/png"),))
    assert http.pictures(end_of(fal, fal.submit(request)), fal)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("locked", FailureCode.NO_CREDIT),
        ("quota", FailureCode.NO_CREDIT),
        ("http-401", FailureCode.AUTH),
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-503", FailureCode.CAPACITY),
        ("nonsense", FailureCode.INVALID_REQUEST),
    ],
)
def test_a_refused_submission_is_one_post_and_costs_nothing(
    fal: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        fal.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize("fault", ["drop", "accepted-then-hang"])
def test_a_submission_whose_answer_is_lost_is_ambiguous_and_not_repeated(
    fal: Provider, http: CountingHttp, submissions: Submissions, fault: str
) -> None:
    http.patience = HURRY
    with pytest.raises(UpstreamError) as caught:
        fal.submit(asked(f"[fault {fault} at submit] a fox"))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (http.posts, len(submissions())) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("unsafe", FailureCode.CONTENT_FILTERED),
        ("too-small", FailureCode.INVALID_REQUEST),
        ("downstream", FailureCode.UPSTREAM_FAILED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("too-late", FailureCode.UPSTREAM_TIMEOUT),
        ("runner-lost", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("gone at check", FailureCode.EXPIRED),
        ("gone at result", FailureCode.EXPIRED),
    ],
)
def test_ends_without_a_picture(fal: Provider, fault: str, code: FailureCode) -> None:
    failed = end_of(fal, fal.submit(asked(f"[fault {fault}] a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


@pytest.mark.parametrize("fault", ["http-504", "http-503", "http-429", "html-502", "drop"])
def test_a_result_that_cannot_be_fetched_for_a_moment_is_fetched_again(fal: Provider, fault: str) -> None:
    ticket = fal.submit(asked(f"[delay 0s] [fault {fault} at result x1] a fox"))
    assert isinstance(ticket, Ticket)
    with pytest.raises(UpstreamError):
        fal.check(ticket, 0)
    assert isinstance(end_of(fal, ticket), Ready)


def test_a_cancelled_request_has_ended(fal: Provider) -> None:
    ticket = fal.submit(asked("[delay 30s] a fox"))
    assert isinstance(ticket, Ticket)
    fal.cancel(ticket)
    failed = end_of(fal, ticket)
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.UPSTREAM_FAILED
