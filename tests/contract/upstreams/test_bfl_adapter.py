"""The provider `bfl` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import Provider
from imagegate.providers.bfl import Bfl
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, png, provider_on


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def bfl(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "bfl", http)


def asked(prompt: str = "a fox", model: str = "flux-2-pro", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model=model, idempotency_key=f"key {prompt}")


@pytest.mark.parametrize("model", ["flux-2-pro", "flux-kontext-pro"])
@pytest.mark.parametrize("changes", [{}, {"ratio": (16, 9)}, {"size": Size(768, 1024)}, {"ratio": (9, 1)}], ids=str)
def test_the_size_that_the_limits_promise(bfl: Provider, http: CountingHttp, model: str, changes: Any) -> None:
    request = asked(model=model, **changes)
    size = Bfl.limits_for(model).size_for(request.request)
    [picture] = http.pictures(end_of(bfl, bfl.submit(request)), bfl)
    assert picture.size == (size.width, size.height)


def test_what_it_charges_is_told(bfl: Provider) -> None:
    for model, micro_dollars in (("flux-2-pro", 30_000), ("flux-2-max", 70_000), ("flux-2-klein-4b", 14_000)):
        ready = end_of(bfl, bfl.submit(asked(model=model)))
        assert isinstance(ready, Ready)
        assert ready.micro_dollars == micro_dollars


def test_pictures_to_work_from_arrive(bfl: Provider, http: CountingHttp) -> None:
    request = replace(asked(), inputs=(InputBody(png(), "image/png"),) * 2)
    assert http.pictures(end_of(bfl, bfl.submit(request)), bfl)


def test_the_host_of_the_pictures_is_not_shown_the_key(stand_ins: str, client: object) -> None:
    seen: list[httpx.Request] = []

    class Recording(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return super().handle_request(request)

    http = HttpUpstream(Recording())
    provider = provider_on(stand_ins, "bfl", http)
    ready = end_of(provider, provider.submit(asked()))
    assert isinstance(ready, Ready)
    http.download(ready.sources[0].url, provider.base_url)
    http._client.close()
    assert all("x-key" in request.headers for request in seen[:-1])
    assert not {"x-key", "authorization", "cookie"} & set(seen[-1].headers)


@pytest.mark.parametrize(
    ("fault", "code", "retry_after"),
    [
        ("quota", FailureCode.NO_CREDIT, None),
        ("busy", FailureCode.RATE_LIMITED, 7),
        ("http-401", FailureCode.AUTH, None),
        ("http-503", FailureCode.CAPACITY, None),
        ("nonsense", FailureCode.INVALID_REQUEST, None),
    ],
)
def test_a_refused_submission_is_one_post_and_costs_nothing(
    bfl: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: Any, retry_after: Any
) -> None:
    with pytest.raises(UpstreamError) as caught:
        bfl.submit(asked(f"[fault {fault}] a fox"))
    assert (caught.value.failure.code, caught.value.failure.retry_after) == (code, retry_after)
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize("fault", ["drop", "accepted-then-hang"])
def test_a_submission_whose_answer_is_lost_is_ambiguous_and_not_repeated(
    bfl: Provider, http: CountingHttp, submissions: Submissions, fault: str
) -> None:
    http.patience = HURRY
    with pytest.raises(UpstreamError) as caught:
        bfl.submit(asked(f"[fault {fault} at submit] a fox"))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (http.posts, len(submissions())) == (1, 1)


def test_an_address_at_a_foreign_host_is_not_asked(bfl: Provider, http: CountingHttp) -> None:
    with pytest.raises(UpstreamError) as caught:
        bfl.submit(asked("[fault foreign-address] a fox"))
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD
    assert len(http.sent) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("failed", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("task-not-found at check", FailureCode.EXPIRED),
    ],
)
def test_ends_without_a_picture(bfl: Provider, fault: str, code: FailureCode) -> None:
    failed = end_of(bfl, bfl.submit(asked(f"[fault {fault}] a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


def test_a_throttled_check_is_no_verdict(bfl: Provider) -> None:
    ticket = bfl.submit(asked("[fault busy at check x1] a fox"))
    assert isinstance(ticket, Ticket)
    with pytest.raises(UpstreamError) as caught:
        bfl.check(ticket, 0)
    assert caught.value.failure.retry_after == 7
    assert isinstance(end_of(bfl, ticket), Ready)
