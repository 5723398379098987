"""OpenAI's packages read a stream that the local addresses keep alive for 70 s of a generation. `make test-node`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from clients.outcome import Ask, Outcome
from clients.register import OF_STREAMS
from imagegate.local.stack.stack import Stack
from support.client_runs import Run
from support.recording_door import RecordingDoor

pytestmark = [
    pytest.mark.node,
    pytest.mark.integration,
    pytest.mark.xdist_group("real-time"),
    pytest.mark.timeout(400),
]
UPSTREAM_SECONDS = 70
PATIENCE = 350.0
ADDRESSES = ("main", "long hold")
ALL = [(name, address) for name in OF_STREAMS for address in ADDRESSES]


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a client got at an address, and of which prompt."""

    outcome: Outcome
    prompt: str


@dataclass(frozen=True, slots=True)
class RawStream:
    """A stream as it comes over the line, without its empty lines."""

    content_type: str
    lines: Sequence[str]


def url_of(stack: Stack, address: str) -> str:
    return stack.base_url if address == "main" else stack.long_hold_url or ""


@pytest.fixture(scope="module")
def raw_streams(real_time_stack: Stack) -> Iterator[Mapping[str, Future[RawStream]]]:
    """What comes over the line at each address."""

    def read(address: str) -> RawStream:
        body = {"model": "flux", "prompt": f"a fox with comments at the {address} address", "stream": True}
        url = f"{url_of(real_time_stack, address)}/v1/images/generations"
        with httpx.stream("POST", url, json=body, timeout=25) as answer:  # of silence
            return RawStream(answer.headers["content-type"], [line for line in answer.iter_lines() if line])

    with ThreadPoolExecutor(len(ADDRESSES)) as pool:
        yield {address: pool.submit(read, address) for address in ADDRESSES}


@pytest.fixture(scope="module")
def streamed(real_time_stack: Stack, raw_streams: object) -> Iterator[Mapping[tuple[str, str], Future[Streamed]]]:
    """All clients at both addresses, at once, while the raw streams are read."""

    def ask(name: str, address: str) -> Streamed:
        prompt = f"a fox in no hurry, streamed to {name} at the {address} address"
        asked = Ask(prompt, base_url=url_of(real_time_stack, address), deadline=300)
        return Streamed(OF_STREAMS[name].generate(asked), prompt)

    pool = ThreadPoolExecutor(len(ALL))
    try:
        yield {one: pool.submit(ask, *one) for one in ALL}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("name", "address"), ALL)
def test_the_client_reads_its_picture_from_the_stream(
    real_time_stack: Stack, streamed: Mapping[tuple[str, str], Future[Streamed]], name: str, address: str
) -> None:
    got = streamed[name, address].result(PATIENCE)
    assert got.outcome.error is None
    run = Run(real_time_stack, got.prompt, got.outcome, RecordingDoor(""), 0.0)
    assert got.outcome.sha256 == hashlib.sha256(run.stored_picture()).hexdigest()
    assert run.submissions() == 1


@pytest.mark.parametrize("address", ADDRESSES)
def test_comments_fill_the_time_until_the_events(raw_streams: Mapping[str, Future[RawStream]], address: str) -> None:
    raw = raw_streams[address].result(PATIENCE)
    assert raw.content_type.startswith("text/event-stream")
    assert raw.lines.count(": keep-alive") >= UPSTREAM_SECONDS // 10 - 1
    assert [line.partition(":")[0] for line in raw.lines[-2:]] == ["event", "data"]
