"""The provider `ideogram` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.ideogram.requests import SIZES
from imagegate.ports.upstreams import Provider
from imagegate.providers.ideogram import GRID
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def ideogram(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "ideogram", http)


def asked(prompt: str = "a fox", count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="ideogram", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model="ideogram-4-5", count=count)


def test_the_shapes_are_those_of_the_stand_in() -> None:
    assert {f"{a}x{b}": (size.width, size.height) for (a, b), size in GRID.shapes} == SIZES


def test_several_pictures_in_one_generation_and_what_they_cost(ideogram: Provider, submissions: Submissions) -> None:
    ready = end_of(ideogram, ideogram.submit(asked(count=3, seed=7, quality="low", ratio=(16, 9))))
    assert isinstance(ready, Ready)
    assert (len(ready.sources), ready.seed, ready.micro_dollars) == (3, 7, 90_000)
    assert len(submissions()) == 1


def test_a_picture_that_is_not_safe_is_missing(ideogram: Provider) -> None:
    ready = end_of(ideogram, ideogram.submit(asked("[fault fewer-images] a fox", count=3)))
    assert isinstance(ready, Ready)
    assert len(ready.sources) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("quota", FailureCode.NO_CREDIT),
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("http-401", FailureCode.AUTH),
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-503", FailureCode.CAPACITY),
        ("nonsense", FailureCode.INVALID_REQUEST),
    ],
)
def test_a_refused_start_is_one_post_and_costs_nothing(
    ideogram: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode
) -> None:
    with pytest.raises(UpstreamError) as caught:
        ideogram.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, submissions()) == (1, [])


@pytest.mark.parametrize(("fault", "accepted"), [("drop", 1), ("accepted-then-hang", 1), ("hang", 0)])
def test_a_start_whose_answer_is_lost_is_ambiguous_and_not_repeated(
    ideogram: Provider, http: CountingHttp, submissions: Submissions, fault: str, accepted: int
) -> None:
    http.patience = HURRY
    with pytest.raises(UpstreamError) as caught:
        ideogram.submit(asked(f"[fault {fault} at submit] a fox"))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (http.posts, len(submissions())) == (1, accepted)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("unsafe-image", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
        ("gone-generation at check", FailureCode.EXPIRED),
    ],
)
def test_ends_without_a_picture(ideogram: Provider, fault: str, code: FailureCode) -> None:
    failed = end_of(ideogram, ideogram.submit(asked(f"[fault {fault}] a fox")))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code
