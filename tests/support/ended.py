"""Operations that end at their first poll."""

from dataclasses import replace
from typing import Any

from imagegate.domain.failure import Failure
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from support.fakes import picture
from support.gateway import Gateway


def end_at_once(gateway: Gateway, failure: Failure | None = None) -> None:
    """Let every operation of the gateway end as soon as it is written, with its pictures or the failure."""
    create = gateway.store.create

    def at_once(operation: Any, *rest: Any) -> None:
        create(operation, *rest)
        now = gateway.clock.now()
        running = operation.moved(State.RUNNING, now)
        if failure:
            moved = running.moved(State.FAILED, now, failure=failure)
        else:
            gateway.images.put("images/k", picture(), "image/png")
            slots = range(operation.request.n)
            moved = running.with_pictures(tuple(made(slot) for slot in slots)).complete_if_done(now)
        gateway.store.replace(replace(moved, version=2))

    gateway.store.create = at_once  # type: ignore[method-assign]


def made(slot: int) -> Picture:
    """A picture in a slot."""
    return Picture(
        slot=slot,
        key="images/k",
        sha256="s",
        content_type="image/png",
        width=64,
        height=48,
        bytes=9,
        provider="alpha",
        seed=7,
    )
