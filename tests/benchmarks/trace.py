"""How far one prompt travels through the code: `make bench NAME=trace`.

One POST /v1/images/generations that is answered with the presigned URL of its picture, the steps of its workflow and
the announcement of each change, on fakes in memory: adapters and other packages are not counted. The upstream answers
the submission with the picture (`sync`) or is polled once (`poll`). The figures are the number of distinct functions
called, and the number of calls that lead directly from one file of imagegate into another (moves). A first prompt warms
caches and late imports up and is not counted.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import imagegate
from imagegate.domain.operation.outcome import Ticket
from imagegate.usecases.publish import Publish
from support.fakes import MemoryBus, MemoryTelemetry, MemoryWorkflow
from support.gateway import Gateway
from support.world import World, ready

ROOT = f"{Path(imagegate.__file__).parent}/"
ADAPTERS = f"{ROOT}adapters/"
PARTS = ("request", "submit", "poll", "publish")
GOAL = {"functions": 130, "moves": 120}


@dataclass
class Trace:
    """The functions of imagegate called while it is open, and the calls between its files."""

    functions: set[CodeType] = field(default_factory=set)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count what this thread, and every thread it starts, calls."""
        before = sys.getprofile()
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(before)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call" or not _is_ours(frame):
            return
        self.functions.add(frame.f_code)
        caller = frame.f_back
        if caller and caller.f_code.co_filename.startswith(ROOT) and _file(caller) != _file(frame):
            self.moves[_file(caller), _file(frame)] += 1


def _is_ours(frame: FrameType) -> bool:
    """True for a function of imagegate; lambdas and generator expressions belong to the function around them."""
    path, name = frame.f_code.co_filename, frame.f_code.co_name
    return path.startswith(ROOT) and not path.startswith(ADAPTERS) and not name.startswith("<")


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename.removeprefix(ROOT)


@dataclass
class DrivenWorkflow(MemoryWorkflow):
    """Drives an operation to its end before its start returns, on a stack of its own."""

    drive: Callable[[str], None] = lambda operation_id: None

    def start(self, operation_id: str, execution: str) -> bool:
        thread = threading.Thread(target=self.drive, args=[operation_id])
        thread.start()
        thread.join()
        return True


@dataclass
class Deployment:
    """One deployment in memory, and a trace for each part of a prompt's road."""

    mode: str
    """`sync` or `poll`."""
    world: World = field(default_factory=World)
    gateway: Gateway = field(init=False)
    traces: dict[str, Trace] = field(default_factory=lambda: {part: Trace() for part in PARTS})

    def __post_init__(self) -> None:
        world = self.world
        self.gateway = Gateway(
            clock=world.clock,
            store=world.store,
            images=world.images,
            workflow=DrivenWorkflow(drive=self._drive),
            latencies=world.latencies,
            routes=world.routes,
        )

    def make_picture(self) -> None:
        """One prompt, from its POST to its picture's presigned URL."""
        self.world.store.history.clear()
        self.world.alpha.submissions = [ready() if self.mode == "sync" else Ticket({"job": 1})]
        self.world.alpha.checks = [ready()]
        prompt = f"a red fox, {len(self.world.store.documents)}"  # a new one, or it would find the operation before
        body = {"model": "flux", "prompt": prompt, "size": "1024x768"}
        with self.traces["request"].open():
            answer = self.gateway.call("POST", "/v1/images/generations", body, user_agent="OpenAI/Python 2.0")
        assert answer.status == 200, answer.text
        assert answer.json()["data"][0]["url"].endswith("?signed"), answer.text
        self._publish()

    def _drive(self, operation_id: str) -> None:
        with self.traces["submit"].open():
            step = self.world.submit(operation_id)
        while step.next == "wait":
            self.world.clock.sleep(step.wait)
            with self.traces["poll"].open():
                step = self.world.poll(operation_id, "run", step.last_poll_at, step.poll_count, step.submit_not_before)
        assert step.next == "done", step

    def _publish(self) -> None:
        bus = MemoryBus()
        publish = Publish(bus=bus, telemetry=MemoryTelemetry(), record=lambda event: None)
        versions = [None, *self.world.store.history]
        with self.traces["publish"].open():
            publish([(old, new) for old, new in zip(versions, self.world.store.history, strict=False)])
        assert [event.name for event in bus.events] == ["queued", "started", "succeeded"]


def measure(mode: str) -> dict[str, Trace]:
    """The traces of one prompt, in a process that has made a picture before."""
    deployment = Deployment(mode)
    deployment.make_picture()
    deployment.traces.update({part: Trace() for part in PARTS})
    deployment.make_picture()
    return deployment.traces


def figures(traces: dict[str, Trace]) -> dict[str, Any]:
    """Functions, moves and files of each part, and of all together."""
    whole = Trace()
    for trace in traces.values():
        whole.functions |= trace.functions
        whole.moves += trace.moves
    return {
        name: {
            "functions": len(trace.functions),
            "moves": trace.moves.total(),
            "files": len({code.co_filename for code in trace.functions}),
        }
        for name, trace in {**traces, "whole": whole}.items()
        if trace.functions
    }


def main() -> None:
    """Print the functions and the moves of each part of the `sync` road, then the figures."""
    traces = {mode: measure(mode) for mode in ("sync", "poll")}
    for part, trace in traces["sync"].items():
        for code in sorted(trace.functions, key=lambda code: (code.co_filename, code.co_firstlineno)):
            print(f"{part:8} {code.co_filename.removeprefix(ROOT)}:{code.co_firstlineno} {code.co_qualname}")
        for (caller, called), count in trace.moves.most_common():
            print(f"{part:8} {count:3} {caller} -> {called}")
    print(json.dumps({mode: figures(found) for mode, found in traces.items()} | {"goal": GOAL}))


if __name__ == "__main__":
    main()
