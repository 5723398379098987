"""The provider `gemini` on its stand-in: pauses told in the body, edits, and how often it is asked."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.ports.upstreams import Provider
from imagegate.providers import gemini, registry
from support.fakes import NoSecrets, picture

Submissions = Callable[[], list[dict[str, object]]]


@pytest.fixture(params=["gemini", "vertex"])
def provider(request: pytest.FixtureRequest, stand_ins: str, client: object) -> Iterator[Provider]:
    http = HttpUpstream()
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    yield registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)(request.param)
    http._client.close()


def upstream_request(prompt: str, size: Size | None = None) -> UpstreamRequest:
    return UpstreamRequest(
        request=ImageRequest(model="m", messages=(Message(prompt),), size=size), model="gemini-3-pro-image"
    )


def failure(provider: Provider, prompt: str) -> Failure:
    with pytest.raises(UpstreamError) as raised:
        provider.submit(upstream_request(prompt))
    return raised.value.failure


def test_a_wide_picture_has_the_pixels_that_the_limits_tell(provider: Provider) -> None:
    request = upstream_request("a fox", Size(1920, 1080))
    ready = provider.submit(request)
    assert isinstance(ready, Ready)
    assert Image.open(io.BytesIO(ready.bodies[0])).size == (1344, 768)
    assert provider.limits.size_for(request.request) == Size(1344, 768)


def test_pictures_are_edited(provider: Provider, submissions: Submissions) -> None:
    inputs = tuple(InputBody(picture(), "image/png") for _ in range(3))
    ready = provider.submit(replace(upstream_request("a hat"), inputs=inputs))
    assert isinstance(ready, Ready)
    assert len(submissions()) == 1


def test_a_pause_in_the_body_is_told(provider: Provider) -> None:
    throttled = failure(provider, "[fault retry-delay] a fox")
    assert (throttled.code, throttled.retry_after) == (FailureCode.RATE_LIMITED, 34)


@pytest.mark.parametrize(
    ("fault", "accepted"), [("http-503", 0), ("http-429", 0), ("hang", 0), ("drop", 1), ("accepted-then-hang", 1)]
)
def test_one_submission_is_one_post(
    monkeypatch: pytest.MonkeyPatch,
    stand_ins: str,
    provider: Provider,
    submissions: Submissions,
    fault: str,
    accepted: int,
) -> None:
    monkeypatch.setattr(gemini, "TIMEOUT", 0.3)
    failure(provider, f"[fault {fault}] a fox")
    assert len(submissions()) == accepted
    calls = httpx.get(f"{stand_ins}/_standin/calls", params={"prompt": f"[fault {fault}] a fox", "stage": "submit"})
    assert calls.json() == {"count": 1}
