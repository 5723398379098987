"""What the functions print names operations, attempts and providers, and never repeats a prompt."""

import io
import json
import logging
from itertools import pairwise

import pytest

from imagegate.adapters.emf_telemetry import EmfTelemetry
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Pending
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.publish import Publish
from imagegate.usecases.start import GenerationRequest
from support.fakes import FakeClock, MemoryBus
from support.world import World, ready

MARK = "xyzzy-marked-prompt"


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def world(out: io.StringIO) -> World:
    clock = FakeClock()
    return World(clock=clock, telemetry=EmfTelemetry(clock.now, out))  # type: ignore[arg-type]


def begun(world: World, *, expand: bool = False) -> Operation:
    return world.start(
        GenerationRequest(
            request=ImageRequest(model="flux", messages=(Message(MARK),), expand=expand), dialect="openai_images"
        )
    )


def published(world: World) -> None:
    publish = Publish(bus=MemoryBus(), telemetry=world.telemetry, record=lambda event: None)
    publish(list(pairwise([None, *world.store.history])))  # type: ignore[arg-type]


def printed(out: io.StringIO, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    return out.getvalue() + "".join(capsys.readouterr()) + caplog.text


@pytest.mark.parametrize("code", [None, *FailureCode])
def test_a_prompt_is_in_no_line_of_a_whole_run(
    world: World,
    out: io.StringIO,
    code: FailureCode | None,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    world.alpha.checks = world.beta.checks = [Pending(), Pending(), ready()]
    if code:
        world.alpha.submissions = [UpstreamError(Failure(code, f"no {MARK}"))]  # some upstreams repeat what was asked
    operation = begun(world)
    world.drive(operation)
    world.sweep()
    published(world)
    text = printed(out, capsys, caplog)
    assert MARK not in text
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(line["operation"] == operation.id for line in lines if "OverdueSeconds" not in line)
    assert {line["Provider"] for line in lines if "attempt" in line} <= {"alpha", "beta"}
    assert [line["State"] for line in lines if "Operations" in line] == [world.now(operation).state]


@pytest.mark.parametrize("code", [None, *FailureCode])
def test_nor_is_what_a_language_model_made_of_it_or_said_of_it(
    world: World,
    out: io.StringIO,
    code: FailureCode | None,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    world.alpha.checks = [ready()]
    world.expander.answers = [UpstreamError(Failure(code, f"no {MARK}")) if code else f"More of {MARK}"]
    operation = begun(world, expand=True)
    world.drive(operation)
    published(world)
    assert MARK not in printed(out, capsys, caplog)
    [line] = [splitline for splitline in map(json.loads, out.getvalue().splitlines()) if "Expansion" in str(splitline)]
    assert (line["operation"], line.get("Code")) == (operation.id, code)
    assert ("ExpansionSeconds" in line) == (code is None)
    assert ("ExpansionFailures" in line) == (code is not None)


def test_looks_and_what_was_unseen_are_measured(world: World, out: io.StringIO) -> None:
    world.alpha.checks = [Pending(), ready()]
    operation = begun(world)
    first = world.submit(operation.id)
    world.clock.sleep(10)
    second = world.poll(operation.id, last_poll_at=first.last_poll_at, poll_count=first.poll_count)
    world.clock.sleep(4)
    world.poll(operation.id, last_poll_at=second.last_poll_at, poll_count=second.poll_count)
    [line] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (line["Polls"], line["DetectionSeconds"], line["UpstreamSeconds"]) == (2, 4, 14)


def test_an_end_that_no_attempt_brought_is_counted_too(world: World, out: io.StringIO) -> None:
    operation = begun(world)
    world.fail(operation.id, "States.Timeout")
    published(world)
    ended, why = (json.loads(line) for line in out.getvalue().splitlines())
    assert (ended["State"], why["Code"]) == ("failed", "internal")


def test_a_sweep_tells_what_stood_still_the_longest(world: World, out: io.StringIO) -> None:
    world.sweep()
    assert not out.getvalue(), "a sweep that finds nothing costs no metric"
    begun(world)
    world.clock.sleep(200)
    world.sweep()
    [found] = (json.loads(line) for line in out.getvalue().splitlines())
    assert (found["Restarted"], found["OverdueSeconds"]) == (1, 140)
