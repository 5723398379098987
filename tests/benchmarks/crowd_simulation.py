"""Waiting clients and workflows that compete for an account's few functions, second by second in simulated time.

Retries, hold, redirects and deadline are read from template.yaml, infra/workflow.asl.yaml and the code. Clients that
API Gateway turns away come back as OpenAI's do, but never give up. What a request or step takes beside its waiting is
assumed: `WORK` seconds, which is about what it takes on AWS.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from imagegate.domain.timing.long_poll import NextMove, client_of, hold_while_untouched, next_move, pause
from imagegate.local.stack.packaging import load_yaml
from imagegate.web.long_polling import HOP_SHARE, RETRY_AFTER
from support.stack_settings import TEMPLATE

SLOTS = 10
"""Executions at once in a new account."""
WORK = (0.4, 0.8)
GAP = 0.05
"""Seconds from a redirect to the request that follows it."""
SWEEP_AFTER = 60.0
Process = Generator[float, None, None]


@dataclass(frozen=True)
class Retry:
    """The workflow's first retrier: for steps that Lambda had no room for."""

    interval: float
    rate: float
    attempts: int
    longest: float


@dataclass(frozen=True)
class Design:
    """What is compared."""

    retry: Retry
    hold: float
    deadline: float
    yields: bool = True
    """Whether a hold ends early while the workflow has not started."""


def deployed(document: Any = None) -> Design:
    """The design as it is deployed by default."""
    parameters = load_yaml(TEMPLATE)["Parameters"]
    workflow = document or load_yaml(TEMPLATE.parent / "infra" / "workflow.asl.yaml")
    first = workflow["States"]["Submit"]["Retry"][0]
    retry = Retry(first["IntervalSeconds"], first["BackoffRate"], first["MaxAttempts"], first["MaxDelaySeconds"])
    return Design(retry, parameters["HoldSeconds"]["Default"], parameters["DeadlineSeconds"]["Default"])


BEFORE = Design(Retry(2, 2, 50, 30), 25, 900, yields=False)
"""The design that this one replaced."""


@dataclass
class Job:
    """An operation."""

    created: float
    deadline: float
    state: str = "queued"
    untouched: bool = True
    ready_at: float = math.inf

    @property
    def done(self) -> bool:
        return self.state in ("succeeded", "deadline_exceeded")


@dataclass
class Crowd:
    """Clients that ask at once, at a deployment whose upstream takes `seconds`."""

    design: Design
    seconds: float = 20.0
    stream: bool = True
    """Whether the upstream's jobs are listened to, or looked at."""
    agent: str = "OpenAI/Python"
    seed: int = 1
    jobs: list[Job] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.now, self._busy = 0.0, 0
        self._events: list[tuple[float, int, Process]] = []
        self._number = 0

    def run(self, clients: int, until: float = 7200.0) -> "Crowd":
        """Let them come within a second; ends when all have their pictures, or at `until` seconds."""
        for _ in range(clients):
            self._begin(self._client(), self.dice.random())
        while self._events and self.now < until and len(self.served) < clients:
            self.now, _, process = heapq.heappop(self._events)
            wait = next(process, None)
            if wait is not None:
                self._begin(process, wait)
        return self

    @property
    def states(self) -> Counter[str]:
        return Counter(job.state for job in self.jobs)

    def _begin(self, process: Process, wait: float = 0.0) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + wait, self._number, process))

    def _taken(self) -> bool:
        """A function for the next request, if one is free."""
        free = self._busy < SLOTS
        self._busy += free
        self.counts["throttled"] += not free
        return free

    # ── Clients ──────────────────────────────────────────────────────────────────────────────────────────

    def _client(self) -> Process:
        job, hop, refused, client = None, 0, 0, client_of(self.agent)
        while True:
            if not self._taken():
                refused, hop = refused + 1, 0
                yield min(0.5 * 2 ** (refused - 1), 8.0) * self.dice.uniform(0.75, 1)
                continue
            refused = 0
            if job is None:
                job = Job(self.now, self.now + self.design.deadline)
                self.jobs.append(job)
                self._begin(self._workflow(job))
            verdict = yield from self._held(job, hop)
            self._busy -= 1
            if verdict is NextMove.ANSWER:
                self.served.append(self.now)
                return
            self.counts[verdict.name] += 1
            hop = hop + 1 if hop < client.hops else 0
            yield GAP if hop else RETRY_AFTER

    def _held(self, job: Job, hop: int) -> Generator[float, None, NextMove]:
        began, limit, client = self.now, self.design.hold * (HOP_SHARE if hop else 1), client_of(self.agent)
        yield GAP
        while True:
            held = self.now - began
            yields = self.design.yields and job.untouched
            hold = min(limit, hold_while_untouched(began - job.created)) if yields else limit
            verdict = next_move(job.done, held, hold, hop, client)
            if verdict is not NextMove.HOLD:
                return verdict
            yield max(min(pause(held, 0.0), hold - held), 0.001)

    # ── Workflows ────────────────────────────────────────────────────────────────────────────────────────

    def _workflow(self, job: Job) -> Process:
        yield from self._step(lambda: self._submit(job))
        yield self.seconds * (0.85 if self.stream else 1)
        while not job.done:
            yield from self._step(lambda: self._poll(job))
            yield self.dice.uniform(2, 4)

    def _step(self, work: Callable[[], Process]) -> Process:
        """A task of the workflow: again and again until there is a function for it."""
        retry, attempt = self.design.retry, 0
        while not self._taken():
            self.counts["steps throttled"] += 1
            if attempt >= retry.attempts:
                attempt = 0
                yield SWEEP_AFTER
            else:
                yield self.dice.uniform(0, min(retry.interval * retry.rate**attempt, retry.longest))
                attempt += 1
        yield from work()
        self._busy -= 1

    def _submit(self, job: Job) -> Process:
        yield self.dice.uniform(*WORK)
        job.untouched = False
        job.state = "running" if self.now < job.deadline else "deadline_exceeded"
        job.ready_at = self.now + self.seconds * self.dice.lognormvariate(0, 0.15)

    def _poll(self, job: Job) -> Process:
        """A stream that is opened after the deadline is not waited for; a picture that is there is brought home."""
        late = self.now >= job.deadline
        yield self.dice.uniform(*WORK)
        if self.stream and not late:
            yield max(job.ready_at - self.now, 0.0)
        ready = job.ready_at <= self.now and not (self.stream and late)
        if not job.done and (ready or late):
            job.state = "succeeded" if ready else "deadline_exceeded"
