"""The provider `sdapi` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import Provider
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def sdapi(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "sdapi", http)


def asked(prompt: str = "a fox", model: str = "sd_xl_base_1.0", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="sdapi", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model=model)


@pytest.mark.parametrize("model", ["default", "sd_xl_base_1.0"])
@pytest.mark.parametrize("prompt", ["a fox", "[fault with-grid] a fox"])
def test_a_picture_of_the_size_asked_for(
    sdapi: Provider, http: CountingHttp, submissions: Submissions, model: str, prompt: str
) -> None:
    ready = end_of(sdapi, sdapi.submit(asked(prompt, model, size=Size(768, 512), seed=7, steps=20)))
    [picture] = http.pictures(ready, sdapi)
    assert picture.size == (768, 512)
    [submission] = submissions()
    assert submission["seed"] == 7


@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("http-401", FailureCode.AUTH, 0),
        ("http-429", FailureCode.RATE_LIMITED, 0),
        ("http-503", FailureCode.CAPACITY, 0),
        ("http-500", FailureCode.UPSTREAM_FAILED, 0),
        ("nonsense", FailureCode.INVALID_REQUEST, 0),
        ("error", FailureCode.UPSTREAM_FAILED, 1),
        ("out-of-memory", FailureCode.UPSTREAM_FAILED, 1),
        ("http-524", FailureCode.UPSTREAM_FAILED, 1),
        ("other-checkpoint", FailureCode.NOT_FOUND, 1),
        ("no-image", FailureCode.BAD_PAYLOAD, 1),
        ("drop", FailureCode.AMBIGUOUS, 1),
        ("accepted-then-hang", FailureCode.AMBIGUOUS, 1),
        ("hang", FailureCode.AMBIGUOUS, 0),
    ],
)
def test_a_drawing_that_fails_is_one_post(
    sdapi: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode, accepted: int
) -> None:
    http.patience = HURRY if "hang" in fault else http.patience
    with pytest.raises(UpstreamError) as caught:
        sdapi.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, len(submissions())) == (1, accepted)


def test_a_checkpoint_that_is_not_there(sdapi: Provider) -> None:
    with pytest.raises(UpstreamError) as caught:
        sdapi.submit(asked(model="dreamshaper_8"))
    assert caught.value.failure.code is FailureCode.NOT_FOUND
