"""One submission is one POST, whatever the upstream does and however often the workflow repeats a step.

Counted by the stand-ins: what reached them, and what they accepted, which a real upstream would charge for.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from imagegate.domain.access.api_key import KeyLimits, issue
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Submission
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.providers import registry
from support.fakes import FakeClock
from support.stand_ins import CountingHttp, provider_on
from support.unrest import before
from support.world import World

TARGETS: dict[str, Target] = {target.provider: target for route in registry.routes() for target in route.targets}
UNKNOWN = {FailureCode.AMBIGUOUS, None}
"""None is a success: the adapter has found the lost submission again."""
LONGEST_WAIT = 20.0
LONGEST_STEP = 5.0
"""Seconds by which the clock of the workflow moves at most between two steps."""


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        http.patience = 1.5
        yield http


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "accepted", "codes"),
    [
        ("http-503", 0, {FailureCode.CAPACITY}),
        ("html-502", 0, {FailureCode.UPSTREAM_FAILED}),
        ("hang", 0, UNKNOWN),
        ("accepted-then-hang", 1, UNKNOWN),
        ("drop", 1, UNKNOWN),
    ],
)
def test_a_submission_is_one_post(
    stand_ins: str, client: httpx.Client, http: CountingHttp, fault: str, accepted: int, codes: set[FailureCode | None]
) -> None:
    prompts = {name: f"[fault {fault} at submit] {name}" for name in TARGETS}

    def ask(name: str) -> FailureCode | None:
        request = ImageRequest(model="m", messages=(Message(prompts[name]),))
        try:
            provider_on(stand_ins, name, http).submit(
                UpstreamRequest(request=request, model=TARGETS[name].model, idempotency_key=prompts[name])
            )
        except UpstreamError as error:
            return error.failure.code
        return None

    with ThreadPoolExecutor(len(TARGETS)) as pool:
        ends = dict(zip(TARGETS, pool.map(ask, TARGETS), strict=True))
    assert {name for name, end in ends.items() if end not in codes} == set(), ends
    expected = dict.fromkeys(TARGETS, (1, accepted))
    # A call whose client has gone may still be waiting for its turn.
    deadline = time.monotonic() + LONGEST_WAIT
    while (
        seen := {name: counts(client, prompts[name]) for name in TARGETS}
    ) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == expected


def counts(client: httpx.Client, prompt: str) -> tuple[int, int]:
    """Submissions that arrived with that prompt, and those that were accepted."""
    calls, accepted = (client.get(f"/_standin/{each}", params={"prompt": prompt}) for each in ("calls", "submissions"))
    return calls.json()["count"], accepted.json()["count"]


RECOVERING = sorted(name for name in TARGETS if TARGETS[name].limits.recovers_submissions)


@pytest.fixture(params=sorted(TARGETS))
def world(request: pytest.FixtureRequest, stand_ins: str, client: httpx.Client, http: CountingHttp) -> World:
    """A workflow whose only provider is on its stand-in, and costs a dollar a picture unless it says otherwise."""
    target = replace(TARGETS[request.param], price_usd=1.0)
    world = World(
        clock=FakeClock(time.time()), routes=Routes([Route(model="flux", targets=(target,))]), http=cast(Any, http)
    )
    world.providers[target.provider] = cast(Any, provider_on(stand_ins, target.provider, http))
    return world


@pytest.mark.slow
def test_steps_that_are_delivered_twice_submit_once(world: World, client: httpx.Client) -> None:
    [provider] = (each for name, each in world.providers.items() if name in TARGETS)
    operation = world.begun()
    # Another run comes by while the first one waits for the upstream.
    before(provider, "submit", lambda: (world.poll(operation.id, "other"), world.submit(operation.id, "other")))
    operation = drive_twice(world, operation)
    assert operation.state is State.SUCCEEDED, operation.failure
    assert [attempt.repeats for attempt in operation.attempts] == [0]
    assert counts(client, "a cat")[1] == 1


@pytest.mark.parametrize("world", RECOVERING, indirect=True)
def test_a_submission_that_is_found_again_is_made_and_charged_once(world: World, client: httpx.Client) -> None:
    """Its answer was lost, and so was that of the look for it."""
    [provider] = (each for name, each in world.providers.items() if name in TARGETS)
    submit, lost = provider.submit, [UpstreamError(Failure(FailureCode.AMBIGUOUS, "no answer in time"))]

    def lose_the_first(upstream_request: UpstreamRequest) -> Submission:
        submission = submit(upstream_request)
        if lost:
            raise lost.pop()
        return submission

    provider.submit = lose_the_first  # type: ignore[method-assign]
    key, _ = issue("books", world.clock.now(), limits=KeyLimits(micro_dollars_per_day=10**9))
    operation = drive_twice(world, world.begun(key=key))
    assert operation.state is State.SUCCEEDED, operation.failure
    assert [attempt.state.value for attempt in operation.attempts] == ["unknown", "done"]
    assert counts(client, "a cat")[1] == 1
    booked = sum(item.micro_dollars for item in world.store.usage_ledger.values())
    assert 0 < booked == operation.attempts[1].micro_dollars <= 1_000_000, "perhaps what the upstream says"


def drive_twice(world: World, operation: Operation) -> Operation:
    """Do what the state machine does, each step twice."""
    step = world.submit(operation.id)
    for _ in range(1000):
        if step.next == "done":
            return world.now(operation)
        if step.next == "submit":
            step = [world.submit(operation.id) for _ in range(2)][-1]
        else:
            world.clock.sleep(min(step.wait, LONGEST_STEP))
            step = [world.poll(operation.id, run, step.last_poll_at) for run in ("run", "other")][-1]
    raise AssertionError(f"still {step}")
