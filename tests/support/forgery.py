"""Forged events: what a producer on the bus, or anybody who gets a message into the webhooks' queue, may send there.

The function `deliver` is run on them, with everything behind it in memory. It must send what was recorded, once and in
order, and nothing else.
"""

import json
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import State
from support.functions import load
from support.siege import Siege, captured
from support.webhook_world import World

MARK = "xyzzyforged"
_STRANGE: list[Any] = [None, True, -1, 0, 2**63, 1.5, "1", "", [], {}, "0" * 20, "../op", "é\x00", "x" * 5000]
_WORDS = ["Queued", "Started", "Succeeded", "Failed", "Cancelled", "Requested", "", "x\r\n"]
_REAL = [State.RUNNING, State.FAILED, State.QUEUED, State.RUNNING, State.CANCELLED]
"""What really happens to the operation meanwhile."""
_NEVER = 999
"""A sequence that no event of the operation has."""


def besiege(siege: Siege, count: int, seed: int) -> None:
    """Run `deliver` on `count` forged messages among the real ones of an operation's life."""
    random, world, forged = Random(seed), World(), 0
    with captured() as log:
        handler = _function(world)
        for state in [None, *_REAL]:
            if state:
                world.becomes(state)
            for record in _forged(random, world, count // (len(_REAL) + 1)):
                forged += 1
                siege.complaints += [f"forged event: {what}: {str(record)[:600]}" for what in _wrong(handler, record)]
            handler({"Records": [_record(f"real {world.operation.version}", _hint(world))]}, None)
        handler({"Records": [_record("never", _hint(world, sequence=_NEVER))]}, None)
    siege.tried["forged event"] += forged
    siege.complaints += [f"forged event: {what}" for what in _wrong_with_world(world, log.getvalue())]


def _function(world: World) -> Any:
    """The function `deliver` on that world."""
    queue = SimpleNamespace(hide=lambda receipt, seconds: None)
    return load("deliver", SimpleNamespace(deliver=world.deliver, webhook_queue=queue)).handler


def _forged(random: Random, world: World, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        document = random.choice([_event, _hint, _event])(world)
        for _ in range(random.randint(0, 3)):
            _bend(random, document)
        text = json.dumps(document)
        if random.random() < 0.1:
            text = text[: random.randrange(len(text))]
        yield _record(f"forged {number}", text)


def _event(world: World) -> dict[str, Any]:
    """The latest real event as EventBridge would hand it on, with another prompt."""
    detail = Event(world.operation).detail()
    detail["operation"] |= {"prompt": MARK, "metadata": {"a": MARK}}
    return {"source": "imagegate", "detail-type": "Image Generation Succeeded", "detail": detail}


def _hint(world: World, sequence: int | None = None) -> dict[str, Any]:
    return {"again": {"operation": {"id": world.operation.id}, "sequence": sequence or world.operation.version}}


def _bend(random: Random, document: dict[str, Any]) -> None:
    """Put something else in one place, most often where an event says what it is about."""
    inner = document.get("detail") or document.get("again") or document
    inner = inner if isinstance(inner, dict) else document
    where = random.choice(["sequence", "event_id", "operation", "id", "detail-type", "anything"])
    if where == "sequence":
        inner["sequence"] = random.choice([*range(-1, 12), *_STRANGE])
    elif where == "id":
        inner["operation"] = {"id": random.choice(["0" * 20, "1" * 20, *_STRANGE])}
    elif where == "detail-type":
        document["detail-type"] = f"Image Generation {random.choice(_WORDS)}"
    else:
        holder = random.choice([document, inner])
        holder[random.choice([*holder, where])] = random.choice(_STRANGE)


def _record(message_id: str, body: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "messageId": message_id,
        "receiptHandle": message_id,
        "body": text,
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def _wrong(handler: Any, record: dict[str, Any]) -> Iterator[str]:
    try:
        handler({"Records": [record]}, None)
    except Exception as error:
        yield f"the function failed: {type(error).__name__}: {error}"


def _wrong_with_world(world: World, log: str) -> Iterator[str]:
    """What the receiver must not have got, and what the log must not hold."""
    got = [(headers["webhook-id"], body.decode()) for _, headers, body in world.receiver.got]
    recorded = [(delivery.webhook_id, delivery.body) for delivery in world.deliveries.of(world.operation.id)]
    if got != recorded:
        yield f"{len(got)} were sent of the {len(recorded)} that happened, or others, or in another order"
    if len(recorded) != len(_REAL) + 1:
        yield f"{len(recorded)} deliveries are recorded of {len(_REAL) + 1} events"
    for what, text in {"what was forged": MARK, "a traceback": "Traceback"}.items():
        if text in log:
            yield f"{what} is in the log: {log[:300]}"
    if not world.telemetry.unknown:
        yield "nothing was counted as unknown"
