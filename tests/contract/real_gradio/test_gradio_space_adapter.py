"""The provider `gradio_space` on every server: both stand-ins, and both real Gradios on request."""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.providers.gradio_space import GradioSpace
from support.fakes import NoSecrets

PATIENCE = 30.0


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture
def space(gradio_server: str, http: HttpUpstream) -> GradioSpace:
    return GradioSpace("space", gradio_server, http, NoSecrets())


def request(prompt: str = "a cat", **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="flux", messages=(Message(prompt),), size=Size(512, 256)), **changes)


def outcome(space: GradioSpace, request: ImageRequest) -> Check:
    return space.check(space.submit(UpstreamRequest(request=request, model="flux-1-schnell")), time.time() + PATIENCE)


def test_a_picture_of_the_size_and_seed_asked_for(space: GradioSpace, http: HttpUpstream) -> None:
    ready = outcome(space, request(seed=1863))
    assert isinstance(ready, Ready)
    assert ready.seed == 1863
    body = http.download(ready.sources[0].url, space.base_url)
    with Image.open(io.BytesIO(body)) as image:
        assert (image.format, image.size) == ("WEBP", (512, 256))


def test_without_a_seed_the_one_used_is_reported(space: GradioSpace) -> None:
    ready = outcome(space, request())
    assert isinstance(ready, Ready)
    assert ready.seed is not None


def test_the_stream_can_be_opened_late(space: GradioSpace, http: HttpUpstream) -> None:
    first = space.submit(UpstreamRequest(request=request(seed=1), model="m"))
    assert isinstance(outcome(space, request(seed=2)), Ready)
    late = space.check(first, time.time() + PATIENCE)
    assert isinstance(late, Ready)
    assert late.seed == 1


def test_the_smallest_size_asked_for_is_one_the_space_makes(space: GradioSpace) -> None:
    assert isinstance(outcome(space, request(size=Size(16, 16))), Ready)


@pytest.mark.parametrize("prompt", ["[error] [fault error]", "[crash] [fault error]"])
def test_a_failure_is_a_failure_whatever_the_generation_tells(space: GradioSpace, prompt: str) -> None:
    failed = outcome(space, request(prompt))
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.UPSTREAM_FAILED


def test_an_unknown_job_has_expired(space: GradioSpace) -> None:
    ticket = space.submit(UpstreamRequest(request=request(), model="m"))
    unknown = Ticket({**ticket.data, "event_id": "0" * 32})
    failed = space.check(unknown, time.time() + PATIENCE)
    assert isinstance(failed, Failed)
    assert failed.failure.code is FailureCode.EXPIRED


def test_unusual_prompts_arrive(space: GradioSpace) -> None:
    assert isinstance(outcome(space, request('кот "в" шляпе\n\\ 🐈 <b>&amp;')), Ready)
