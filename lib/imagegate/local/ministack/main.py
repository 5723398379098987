"""MiniStack as a child process of the embedded stack: `python -m imagegate.local.ministack.main`.

Differs from `python -m ministack` in six ways: it takes signed requests only (`guard`), its state is on disk about a
second after every change (`checkpoint`), it resumes interrupted executions on request (a line on standard input), it
ends when its standard input closes (so it never outlives the process that holds the other end, however that ends), a
stop takes no longer than writing the state, and workers are forks of a process that has loaded their function
(`forked_workers`), with one unpacked layer (`shared_layers`). Configured by the environment
(`MiniStackProcess` sets it): IMAGEGATE_LISTENER (the file descriptor of its listening socket), GATEWAY_PORT (its port),
IMAGEGATE_SNAPSHOT (the state file), IMAGEGATE_FUNCTIONS_LOG, IMAGEGATE_ROOT_KEY (the file of the root key),
IMAGEGATE_PICTURE_ORIGINS, IMAGEGATE_UPLOAD_ORIGINS and MiniStack's own.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc, sqs, stepfunctions

from imagegate.local.ministack import (
    bus_policy,
    chaos,
    checkpoint,
    cold_starts,
    credentials,
    forked_workers,
    function_log,
    gaps,
    leading_keys,
    secrets,
    shared_layers,
)
from imagegate.local.ministack.executions import Interrupted
from imagegate.local.ministack.guard import MiniStackGuard
from imagegate.local.origin_policy import parse_origins
from imagegate.local.root_credentials import RootCredentials

UNREADABLE_STATE = 3
"""Exit status when the snapshot cannot be used."""

_SHORTEST_GAP_SECONDS = 1.0
_LONGEST_SHARE = 10
"""A save that takes t seconds is followed by at least this many times t without one."""
_LAST_WORDS_SECONDS = 10.0
_READ_ACTIONS = (b"Get", b"Query", b"Describe", b"List", b"Scan", b"BatchGet")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Keeper:
    """Serves MiniStack's ASGI application and keeps its state on disk."""

    def __init__(self, snapshot: Path) -> None:
        self._saver = checkpoint.Saver(snapshot)
        self._writes = 0
        self._saved: tuple[int, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to MiniStack and note that it may have changed something."""
        try:
            await ministack.app(scope, receive, send)
        finally:
            if scope["type"] == "http" and not _only_reads(scope):
                self._writes += 1

    async def keep(self) -> None:
        """Save after changes, as long as the process lives."""
        while True:
            await asyncio.sleep(max(_SHORTEST_GAP_SECONDS, _LONGEST_SHARE * self._saver.seconds))
            try:
                await self._save_if_changed()
            except Exception:
                logging.exception("the state was not saved; trying again")

    def save_now(self) -> None:
        """Save and return when it is done; nothing when a deployment is half done (see `_deploying`)."""
        if not _deploying():
            self._saver.save()

    async def _save_if_changed(self) -> None:
        pulse = self._pulse()
        if pulse == self._saved or _deploying():
            return
        self._saver.begin()
        while not self._saver.settled():
            await asyncio.sleep(0.02)
        if not self._saver.failed:
            self._saved = pulse

    def _pulse(self) -> tuple[int, ...]:
        """Return numbers that differ when state has changed: requests, and what moves without one."""
        return (
            self._writes,
            sum(len(queue["messages"]) for queue in sqs._queues.all_values()),
            sum(lambda_svc._dynamodb_stream_positions.all_values()),
            sum(len(execution["events"]) for execution in stepfunctions._executions.all_values()),
            dynamodb._stream_seq_counter,
        )


def _only_reads(scope: Scope) -> bool:
    """Whether a request surely changes nothing (so that clients that wait do not keep the disk busy)."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return True
    return _action(scope["headers"]).startswith(_READ_ACTIONS)


def _action(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    target = next((value for name, value in headers if name.lower() == b"x-amz-target"), b"")
    return target.rpartition(b".")[2]


def _deploying() -> bool:
    """Whether a CloudFormation operation is under way.

    Such a state is never saved: a kill then leaves the state before the operation, and the next start
    repeats it, instead of resources that no stack record knows.
    """
    cloudformation = sys.modules.get("ministack.services.cloudformation")
    stacks = cloudformation._stacks.all_values() if cloudformation else []
    return any(stack.get("StackStatus", "").endswith("_IN_PROGRESS") for stack in stacks)


def _stop(keeper: Keeper) -> None:
    """Save and end. Runs on the event loop, so that nothing is answered after the last save.

    Workers are ended after it: a task that fails because its worker was ended must not be what is saved.
    """
    keeper.save_now()
    lambda_runtime.reset()
    logging.shutdown()
    os._exit(0)


def _follow_parent(loop: asyncio.AbstractEventLoop, keeper: Keeper, interrupted: Interrupted) -> None:
    """Resume at each line on standard input; stop at its end, and after a deadline even if something hangs."""
    while os.read(0, 1024):
        loop.call_soon_threadsafe(interrupted.resume)
    loop.call_soon_threadsafe(_stop, keeper)
    threading.Event().wait(_LAST_WORDS_SECONDS)
    os._exit(1)


async def _serve(keeper: Keeper, interrupted: Interrupted, root: RootCredentials) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, _stop, keeper)
    threading.Thread(target=_follow_parent, args=(loop, keeper, interrupted), daemon=True).start()
    saving = asyncio.create_task(keeper.keep())
    origins = parse_origins(os.environ.get("IMAGEGATE_PICTURE_ORIGINS", "").split(","))
    uploads = json.loads(os.environ.get("IMAGEGATE_UPLOAD_ORIGINS", "{}"))
    guard = MiniStackGuard(keeper, root.door_token, origins, uploads)
    await serve(guard, _config(), shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type]
    saving.cancel()


def _load(states: dict[str, checkpoint.State], interrupted: Interrupted) -> None:
    """Hand each service its saved state; end the process when one refuses it.

    MiniStack would go on with that service empty, and the next save would make the loss final.
    """
    for service, module in ministack._state_map.items():
        try:
            if states.get(service):
                ministack._get_module(module).load_persisted_state(states[service])
        except Exception:
            logging.exception("the saved state of %s cannot be used", service)
            os._exit(UNREADABLE_STATE)
    interrupted.keep_running()


def _config() -> Config:
    config = Config()
    config.bind = [f"fd://{os.environ['IMAGEGATE_LISTENER']}"]
    config.keep_alive_timeout = 75
    return config


def main() -> None:
    """Load the state and serve until told to stop."""
    snapshot = Path(os.environ["IMAGEGATE_SNAPSHOT"])
    try:
        states = checkpoint.read(snapshot)
    except checkpoint.UnreadableSnapshot as error:
        print(error, file=sys.stderr)
        sys.exit(UNREADABLE_STATE)
    root = RootCredentials.of(Path(os.environ["IMAGEGATE_ROOT_KEY"]))
    credentials.install(root)
    secrets.mend(root)
    cold_starts.mend()
    forked_workers.mend()
    shared_layers.mend()
    gaps.apply_patches()
    leading_keys.apply_patches()
    bus_policy.mend()
    function_log.keep(Path(os.environ["IMAGEGATE_FUNCTIONS_LOG"]))
    chaos.install_if_wanted()
    interrupted = Interrupted(states.get("stepfunctions"))
    ministack._load_persisted_state = lambda: _load(states, interrupted)
    ministack.save_all = lambda services: None
    asyncio.run(_serve(Keeper(snapshot), interrupted, root))


if __name__ == "__main__":
    main()
