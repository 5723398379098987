"""Requests that fail, as the clients that repeat themselves see it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import pytest

from clients import as_process, in_python
from clients.outcome import Ask
from clients.register import Client
from imagegate.local.stack.stack import Stack
from support.client_runs import Runs, under_way

PATIENCE = 100.0
CLIENTS: dict[str, Client] = {"openai": in_python.openai_sync, "ai-sdk": as_process.node_ai_sdk}
BY_CLIENT = ["openai", pytest.param("ai-sdk", marks=pytest.mark.node)]
"""Their names, as a fixture's parameters."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request that fails, and how."""

    generation: Ask
    raised: Mapping[str, str]
    """Client to the class of its exception."""
    status: int
    code: str
    message: str
    """The part that matters."""
    posts: int = 1
    submissions: int = 0


@dataclass(frozen=True, slots=True)
class Failing:
    """One client with every case under way."""

    client: str
    runs: Runs


def under_way_with(client: str, stack: Stack, asks: Mapping[str, Ask]) -> AbstractContextManager[Runs]:
    """All of it at once with one client, each with a prompt of its own."""
    own = {name: replace(generation, prompt=f"{generation.prompt} for {client}") for name, generation in asks.items()}
    return under_way(stack, {name: (CLIENTS[client], generation) for name, generation in own.items()})


def assert_failed(failing: Failing, name: str, case: Case) -> None:
    """The client raised what it should, and asked no more often than it should."""
    run = failing.runs[name].result(PATIENCE)
    error = run.outcome.error
    assert error
    assert (error.name, error.status, error.code) == (case.raised[failing.client], case.status, case.code)
    assert case.message in error.message
    assert (run.door.posts, run.submissions()) == (case.posts, case.submissions)
