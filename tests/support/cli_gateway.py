"""A gateway on loopback for the command line: the real application, with everything behind it in memory.

It makes pictures at once, except of prompts that name a trouble: `slow` stays under way, `forbidden` fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from imagegate.adapters.clock import SystemClock
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.local.upstreams.serving import serving
from support.fakes import MemoryImages, MemoryLatencies, MemoryWorkflow, picture
from support.fuzz_server import able_routes
from support.gateway import Gateway


@dataclass
class _Bucket(MemoryImages):
    """Pictures at a server of their own, as S3 is; it keeps the headers that it was asked with."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    def presign(self, key: str) -> str:
        return f"{self.url}/{key}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope)
        self.asked.append(dict(request.headers))
        await Response(self.objects[request.url.path.removeprefix("/")])(scope, receive, send)


@dataclass
class _Painter(MemoryWorkflow):
    """The workflow: paints when it is started."""

    made: Any = None

    def start(self, operation_id: str, execution: str) -> bool:
        super().start(operation_id, execution)
        prompt = self.made.store.get(operation_id).request.prompt
        if "forbidden" in prompt:
            self.end(operation_id, State.FAILED)
        elif "slow" not in prompt:
            self.end(operation_id, State.SUCCEEDED)
        return True

    def end(self, operation_id: str, state: State) -> None:
        """Bring an operation to its end."""
        store, clock, images = self.made.store, self.made.clock, self.made.images
        found = store.get(operation_id)
        moved = found.moved(State.RUNNING, clock.now())
        if state is State.SUCCEEDED:
            slots = range(found.request.n)
            kept = [_picture(f"images/{operation_id}/{slot}.png", slot) for slot in slots]
            for one in kept:
                images.put(one.key, picture(), "image/png")
            moved = moved.with_pictures(tuple(kept))
        else:
            moved = replace(moved, failure=Failure(FailureCode.CONTENT_FILTERED, "The prompt is not allowed."))
        store.replace(replace(moved.moved(state, clock.now()), version=found.version + 1))


@dataclass
class CliGateway:
    """Where it is, and what is behind it."""

    url: str
    made: Gateway
    bucket: _Bucket
    painter: _Painter


@contextmanager
def cli_gateway(access: str = "open") -> Iterator[CliGateway]:
    """Serve it."""
    bucket, painter = _Bucket(), _Painter()
    with serving(bucket) as bucket.url:
        made = Gateway(
            SystemClock(),  # type: ignore[arg-type]
            images=bucket,
            workflow=painter,
            latencies=MemoryLatencies(expected_seconds=3),
            routes=able_routes(),
            access=access,
        )
        painter.made = made
        with serving(made.app) as url:
            yield CliGateway(url, made, bucket, painter)


def _picture(key: str, slot: int) -> Picture:
    digest = sha256(picture()).hexdigest()
    return Picture(
        slot=slot,
        key=key,
        sha256=digest,
        content_type="image/png",
        width=64,
        height=48,
        bytes=len(picture()),
        provider="alpha",
        seed=7,
    )
