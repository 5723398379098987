"""The provider `stability` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.stability.requests import SD3_MODELS, SIZES
from imagegate.ports.upstreams import Provider
from imagegate.providers.stability import StabilityConfig
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def stability(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "stability", http)


def asked(prompt: str = "a fox", model: str = "core", **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="m", messages=(Message(prompt),)), **changes)
    return UpstreamRequest(request=request, model=model)


@pytest.mark.parametrize("model", ["core", "ultra", *SD3_MODELS])
def test_every_model_gets_all_that_it_takes(
    stability: Provider, http: CountingHttp, submissions: Submissions, model: str
) -> None:
    request = asked(model=model, seed=7, guidance=4.5, negative_prompt="fog", output_format="jpeg")
    [picture] = http.pictures(end_of(stability, stability.submit(request)), stability)
    assert picture.format == "JPEG"
    [submission] = submissions()
    assert submission["seed"] == 7


@pytest.mark.slow
@pytest.mark.parametrize("model", ["core", "ultra"])
@pytest.mark.parametrize("ratio", SIZES)
def test_the_size_that_the_limits_promise(stability: Provider, http: CountingHttp, model: str, ratio: str) -> None:
    across, _, down = ratio.partition(":")
    request = asked(model=model, ratio=(int(across), int(down)))
    size = StabilityConfig().limits_for(model).size_for(request.request)
    [picture] = http.pictures(end_of(stability, stability.submit(request)), stability)
    assert picture.size == (size.width, size.height)


@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("http-401", FailureCode.AUTH, 0),
        ("http-429", FailureCode.RATE_LIMITED, 0),
        ("http-503", FailureCode.CAPACITY, 0),
        ("http-500", FailureCode.UPSTREAM_FAILED, 0),
        ("quota", FailureCode.NO_CREDIT, 0),
        ("nonsense", FailureCode.INVALID_REQUEST, 0),
        ("refuse", FailureCode.CONTENT_FILTERED, 0),
        ("refuse-late", FailureCode.CONTENT_FILTERED, 1),
        ("error", FailureCode.UPSTREAM_FAILED, 1),
        ("no-image", FailureCode.BAD_PAYLOAD, 1),
        ("drop", FailureCode.AMBIGUOUS, 1),
        ("accepted-then-hang", FailureCode.AMBIGUOUS, 1),
        ("hang", FailureCode.AMBIGUOUS, 0),
    ],
)
def test_a_call_that_fails_is_one_post(
    stability: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode, accepted: int
) -> None:
    http.patience = HURRY if "hang" in fault else http.patience
    with pytest.raises(UpstreamError) as caught:
        stability.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, len(submissions())) == (1, accepted)


def test_the_stand_in_refuses_what_the_original_does(stability: Provider, http: CountingHttp) -> None:
    """Else the tests above would show nothing."""
    stability.submit(asked())
    sent = http.sent[-1]
    assert http.send(replace(sent, multipart=False)).status == 400
    assert http.send(replace(sent, form={**sent.form, "cfg_scale": "4"})).status == 400
    assert http.send(replace(sent, headers={"accept": "application/json"})).status == 401
    assert http.send(replace(sent, headers={**sent.headers, "accept": "image/*"})).headers["finish-reason"] == "SUCCESS"
