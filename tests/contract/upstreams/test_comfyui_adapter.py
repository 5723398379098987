"""The provider `comfyui` on its stand-in; what it has in common with all others is in test_every_provider.py."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpRequest, Provider
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on

OLD = "[fault old-server at check] "


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def comfy(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "comfyui", http)


def asked(prompt: str = "a fox", count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(
        request=request, model="flux1-schnell-fp8.safetensors", count=count, idempotency_key=secrets.token_hex()
    )


@pytest.mark.parametrize("server", ["", OLD], ids=["new", "old"])
@pytest.mark.parametrize("size", [Size(512, 512), Size(1000, 700)])
def test_the_size_that_the_limits_promise(comfy: Provider, http: CountingHttp, server: str, size: Size) -> None:
    request = asked(f"{server}a fox", size=size, seed=7)
    promised = comfy.limits.size_for(request.request)
    ready = end_of(comfy, comfy.submit(request))
    [picture] = http.pictures(ready, comfy)
    assert picture.size == (promised.width, promised.height)
    assert isinstance(ready, Ready)
    assert ready.seed == 7


def test_several_pictures_in_one_job(comfy: Provider, http: CountingHttp, submissions: Submissions) -> None:
    assert len(http.pictures(end_of(comfy, comfy.submit(asked(count=3))), comfy)) == 3
    assert len(submissions()) == 1


def test_a_picture_wants_the_key_unless_it_is_elsewhere(comfy: Provider, http: CountingHttp) -> None:
    assert isinstance(end_of(comfy, comfy.submit(asked())), Ready)
    view = http.sent[-1]
    assert http.send(HttpRequest(method="GET", url=view.url)).status == 401
    moved = end_of(comfy, comfy.submit(asked("[fault redirect] a fox")))
    assert isinstance(moved, Ready)
    assert (len(moved.sources), len(http.pictures(moved, comfy))) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("server", ["", OLD], ids=["new", "old"])
@pytest.mark.parametrize("fault", ["drop at submit", "accepted-then-hang"])
def test_a_submission_whose_answer_is_lost_is_found_again(
    comfy: Provider, http: CountingHttp, submissions: Submissions, server: str, fault: str
) -> None:
    http.patience = HURRY
    assert isinstance(end_of(comfy, comfy.submit(asked(f"[fault {fault}] {server}a fox"))), Ready)
    assert (http.posts, len(submissions())) == (1, 1)


def test_one_that_is_delivered_twice_is_one(comfy: Provider, http: CountingHttp, submissions: Submissions) -> None:
    request = asked(seed=7)
    first = comfy.submit(request)
    assert comfy.submit(replace(request, repeated=True)) == first
    assert (http.posts, len(submissions())) == (1, 1)


def test_one_that_never_arrived_stays_ambiguous(comfy: Provider, http: CountingHttp, submissions: Submissions) -> None:
    http.patience = HURRY
    request = asked("[fault hang x1] a fox")
    with pytest.raises(UpstreamError) as caught:
        comfy.submit(request)
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (http.posts, submissions()) == (1, [])
    assert isinstance(end_of(comfy, comfy.submit(replace(request, repeated=True))), Ready)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("http-401", FailureCode.AUTH),
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-500", FailureCode.UPSTREAM_FAILED),
        ("http-503", FailureCode.CAPACITY),
        ("html", FailureCode.BAD_PAYLOAD),
        ("quota", FailureCode.NO_CREDIT),
        ("no-model", FailureCode.NOT_FOUND),
        ("no-node", FailureCode.NOT_FOUND),
    ],
)
def test_a_refused_submission_is_one_post_and_costs_nothing(
    comfy: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        comfy.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize("server", ["", OLD], ids=["new", "old"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("out-of-memory", FailureCode.UPSTREAM_FAILED),
        ("interrupted", FailureCode.UPSTREAM_FAILED),
        ("lost", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("preview", FailureCode.BAD_PAYLOAD),
    ],
)
def test_verdicts(comfy: Provider, server: str, fault: str, code: FailureCode) -> None:
    failed = end_of(comfy, comfy.submit(asked(f"[fault {fault}] {server}a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


def test_a_picture_that_is_gone_has_expired(comfy: Provider) -> None:
    failed = end_of(comfy, comfy.submit(asked("[fault expired-url] a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.EXPIRED


@pytest.mark.parametrize("fault", ["http-401 at check", "http-503 at check", "html at check", "http-500 at fetch"])
def test_a_question_that_fails_is_no_verdict(comfy: Provider, fault: str) -> None:
    ticket = comfy.submit(asked(f"[delay 0s] [fault {fault} x1] a fox"))
    with pytest.raises(UpstreamError):
        comfy.check(ticket, 0)
    assert isinstance(end_of(comfy, ticket), Ready)


@pytest.mark.parametrize("prompt", ["[delay 30s] a fox", "[fault endless] a fox", f"{OLD}[delay 30s] a fox"])
def test_a_job_that_waits_or_runs_can_be_cancelled(comfy: Provider, prompt: str) -> None:
    ticket = comfy.submit(asked(prompt))
    assert isinstance(ticket, Ticket)
    assert comfy.check(ticket, 0) == Pending()
    comfy.cancel(ticket)
    failed = end_of(comfy, ticket)
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.UPSTREAM_FAILED
