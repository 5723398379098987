"""The provider `workers-ai` on its stand-in; what it has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.workers_ai.requests import MODELS
from imagegate.ports.upstreams import Provider
from imagegate.providers.workers_ai import WorkersAIConfig
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on

SCHNELL = "@cf/black-forest-labs/flux-1-schnell"


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


@pytest.fixture
def workers_ai(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    return provider_on(stand_ins, "workers-ai", http)


def asked(prompt: str = "a fox", model: str = SCHNELL, **changes: Any) -> UpstreamRequest:
    return UpstreamRequest(
        request=replace(ImageRequest(model="flux", messages=(Message(prompt),)), **changes), model=model
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gets_all_that_it_takes(
    workers_ai: Provider, http: CountingHttp, submissions: Submissions, model: str
) -> None:
    limits = WorkersAIConfig().limits_for(model)
    fields = {"seed": 7, "steps": limits.steps_maximum, "guidance": 2.0, "negative_prompt": "fog"}
    request = asked(model=model, size=Size(768, 512), **fields)
    [picture] = http.pictures(end_of(workers_ai, workers_ai.submit(request)), workers_ai)
    size = limits.size_for(request.request)
    assert picture.size == (size.width, size.height)
    [submission] = submissions()
    assert (submission["seed"] == 7) is ("seed" in limits.capabilities)


@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("http-429", FailureCode.RATE_LIMITED, 0),
        ("http-503", FailureCode.CAPACITY, 0),
        ("http-500", FailureCode.UPSTREAM_FAILED, 0),
        ("http-401", FailureCode.AUTH, 0),
        ("quota", FailureCode.NO_CREDIT, 0),
        ("no-capacity", FailureCode.CAPACITY, 0),
        ("withdrawn", FailureCode.NOT_FOUND, 0),
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
def test_a_run_that_fails_is_one_post(
    workers_ai: Provider, http: CountingHttp, submissions: Submissions, fault: str, code: FailureCode, accepted: int
) -> None:
    http.patience = HURRY if "hang" in fault else http.patience
    with pytest.raises(UpstreamError) as caught:
        workers_ai.submit(asked(f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code
    assert (http.posts, len(submissions())) == (1, accepted)


def test_a_model_that_is_not_there(workers_ai: Provider) -> None:
    with pytest.raises(UpstreamError) as caught:
        workers_ai.submit(asked(model="@cf/acme/new"))
    assert caught.value.failure.code is FailureCode.NOT_FOUND


def test_the_stand_in_refuses_what_the_model_does_not_take(stand_ins: str, http: CountingHttp) -> None:
    """Else the tests above would show nothing."""
    provider = provider_on(stand_ins, "workers-ai", http)
    provider.submit(asked())
    sent = http.sent[-1]
    assert http.send(replace(sent, json={"prompt": "a fox", "width": 512})).status == 400
    assert http.send(replace(sent, url=sent.url.replace("flux-1-schnell", "flux-2-dev"))).status == 400
    assert http.send(replace(sent, headers={})).status == 401
