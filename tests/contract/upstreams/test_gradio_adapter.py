"""The provider `gradio_space` on its stand-ins under faults; ../real_gradio has what real servers do as well."""

import time
from collections.abc import Iterator

import pytest

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS
from imagegate.providers.gradio_space import GradioSpace
from support.fakes import NoSecrets

PATIENCE = 30.0


@pytest.fixture(params=["black-forest-labs", "voodoohop"])
def space(request: pytest.FixtureRequest, stand_ins: str, client: object) -> Iterator[GradioSpace]:
    http = HttpUpstream()
    yield GradioSpace("space", f"{stand_ins}{BASE_PATHS[request.param]}", http, NoSecrets())
    http._client.close()


def start(space: GradioSpace, prompt: str) -> Ticket:
    return space.submit(UpstreamRequest(request=ImageRequest(model="flux", messages=(Message(prompt),)), model="m"))


def check(space: GradioSpace, ticket: Ticket) -> Check:
    return space.check(ticket, time.time() + PATIENCE)


@pytest.mark.parametrize("fault", ["http-429", "http-500", "http-503"])
def test_a_stream_that_was_not_opened_is_read_later(space: GradioSpace, fault: str) -> None:
    ticket = start(space, f"[fault {fault} at check x1] a fox")
    with pytest.raises(UpstreamError):
        check(space, ticket)
    assert isinstance(check(space, ticket), Ready)


def test_a_stream_that_broke_is_lost(space: GradioSpace) -> None:
    ticket = start(space, "[fault drop x1] a fox")
    first, second = check(space, ticket), check(space, ticket)
    assert isinstance(first, Failed)
    assert first.failure.code is FailureCode.UPSTREAM_FAILED
    assert isinstance(second, Failed)
    assert second.failure.code is FailureCode.EXPIRED
