"""The deployed template with short holds, and the same at real speed, for the clients to wait at."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette

from clients.register import EVERYONE
from imagegate.local.stack.settings import StackSettings, StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import build_app
from support.stack_settings import on_free_ports

HOLD_SECONDS = "3"
"""What a POST is held, and a hop little longer, so that twelve seconds are what a hundred are on AWS."""
WARMTH = "[delay 10s] warm hands"
WARM_WITHIN = 90
"""Seconds."""


@pytest.fixture(scope="session")
def impatient_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack that holds no request longer than about three seconds."""
    with Stack(settings(tmp_path_factory.mktemp("impatient"), quick(), {"HoldSeconds": HOLD_SECONDS})) as running:
        yield running


@pytest.fixture(scope="session")
def hurried_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack that gives every operation eight seconds."""
    parameters = {"HoldSeconds": HOLD_SECONDS, "DeadlineSeconds": "8"}
    with Stack(settings(tmp_path_factory.mktemp("hurried"), quick(), parameters)) as running:
        yield running


@pytest.fixture(scope="session")
def real_time_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack as deployed by default, with upstreams that take 70 seconds, and warm for all clients at once.

    Two cores take longer to start that many functions than API Gateway's limit leaves beyond the hold.
    """
    with Stack(
        settings(tmp_path_factory.mktemp("real-time"), build_app(latency_seconds=70.0), {"LongHold": "on"})
    ) as running:
        with ThreadPoolExecutor(len(EVERYONE)) as pool:
            list(pool.map(lambda name: warm(running, name), EVERYONE))
        yield running


def quick() -> Starlette:
    """Stand-ins that are in no way slow unless a prompt says so."""
    return build_app(latency_seconds=0.2, heartbeat_seconds=0.5)


def warm(stack: Stack, name: str) -> None:
    """Occupy one worker of each function for some seconds, again until all had started in time.

    A client that is not known to follow redirects is held by `api`, the others by `wait`.
    """
    url = f"{stack.base_url}/v1/images/generations"
    deadline = time.monotonic() + WARM_WITHIN
    for agent in ("a-client/1.0", "python-requests/2.0"):
        body = {"model": "flux", "prompt": f"{WARMTH} for {name} as {agent}"}
        while requests.post(url, json=body, headers={"user-agent": agent}, timeout=60).status_code in (503, 504):
            assert time.monotonic() < deadline, f"not warm within {WARM_WITHIN} s"


def settings(state: Path, upstreams: Starlette, parameters: dict[str, str]) -> StackSettings:
    """An embedded stack on free ports, without keys."""
    return replace(
        on_free_ports(state),
        parameters={"Access": "open", "PublicUrl": "", **parameters},
        stand_ins=StandIns(upstreams),
    )
