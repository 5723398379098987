"""What the operations of the fault campaign ask for: each provider in turn, with faults that its stand-in obeys."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from imagegate.local.upstreams.app import STAND_INS
from imagegate.providers import registry

LASTING = {"endless", "slow"}
"""Faults that end no sooner than the deadline."""
ROUTES = {target.provider: route for route in registry.routes() for target in route.targets}
STAGES = {stand_in.name: stand_in.faults.stages for stand_in in STAND_INS}


def common_faults(providers: Iterable[str]) -> list[str]:
    """The faults, each at one kind of call, that the stand-ins of all these providers obey, as directives name them."""
    known = [
        {f"{fault} at {stage}" for fault, stages in STAGES[name].items() for stage in stages} for name in providers
    ]
    return sorted(each for each in set.intersection(*known) if each.partition(" ")[0] not in LASTING)


@dataclass(frozen=True, slots=True)
class Job:
    """What one operation asks for."""

    provider: str
    """Whose turn it is."""
    insists: bool
    """Whether no other provider may be asked."""
    waits: bool
    """Whether its client waits, as OpenAI's packages do, and so has the steps of its operation taken."""
    prompt: str
    deadline: float
    """Seconds."""

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return "/v1/images/generations" if self.waits else "/v1/operations"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of its requests."""
        agent = "OpenAI/Python 3.57.0" if self.waits else "fault-campaign/1.0"
        return {"idempotency-key": self.prompt, "user-agent": agent}

    @property
    def body(self) -> dict[str, Any]:
        """The body of its request."""
        body = {"model": ROUTES[self.provider].model, "prompt": self.prompt, "size": "256x256"}
        return {**body, "deadline": self.deadline, **({"provider": self.provider} if self.insists else {})}


def draw_jobs(n: int, dice: random.Random, deadline: float) -> list[Job]:
    """So many jobs, each to be done within `deadline` seconds.

    In every other round the jobs insist on their provider; in the others they may fail over along its model's route.
    The clients of every other job wait.
    """
    turns = dice.sample(sorted(ROUTES), k=len(ROUTES))
    return [
        _draw_job(number, dice, turns[number % len(turns)], number // len(turns) % 2 == 0, deadline)
        for number in range(n)
    ]


def _draw_job(number: int, dice: random.Random, provider: str, insists: bool, deadline: float) -> Job:
    asked = [provider] if insists else [target.provider for target in ROUTES[provider].targets]
    faults = dice.sample(common_faults(asked), k=dice.choice((0, 0, 1, 1, 2, 2)))
    directives = " ".join(f"[fault {fault} x{dice.choice((1, 1, 2))}]" for fault in faults)
    delay = dice.choice((200, 700, 2500))
    waits = number % 2 == 0
    return Job(provider, insists, waits, f"[delay {delay}ms] {directives} operation {number}", deadline)
