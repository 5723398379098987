"""The operation machine against a model: any driver at any moment, any answer, any death, any interleaving.

Two runs drive one operation. Between (or in the middle of, right before or after any effect) their steps upstreams
change their minds, time passes, a sweep runs, an owner cancels or retries, a process dies, another run overtakes.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from imagegate.domain.access.api_key import KeyLimits, issue
from imagegate.domain.errors import WrongState
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.document import loads
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.limits import CompletionMode
from imagegate.workflow import upstream_poller
from imagegate.workflow.next_step import Step
from support import invariants
from support.fakes import MICRO_DOLLARS, ScriptedHttp
from support.moody import ENDS, MOODS, MoodyUpstream
from support.unrest import Killed, Unrest, die
from support.world import World

pytestmark = pytest.mark.slow

RUNS = st.sampled_from(["A", "B"])
UPSTREAMS = st.sampled_from(["alpha", "beta"])
FOREVER = 4 * 24 * 3600.0
"""Seconds; no lease, deadline or upstream's memory is longer."""


class Machine(RuleBasedStateMachine):
    """One operation, what happens to it, and what must hold whatever happens."""

    @initialize(
        n=st.integers(1, 2), beta=st.sampled_from([CompletionMode.POLL, CompletionMode.STREAM]), expand=st.booleans()
    )
    def begin(self, n: int, beta: CompletionMode, expand: bool) -> None:
        self.upstreams = {"alpha": MoodyUpstream("alpha"), "beta": MoodyUpstream("beta", beta)}
        downloads = {url: body for upstream in self.upstreams.values() for url, body in upstream.downloads.items()}
        self.world = World(http=ScriptedHttp(downloads=downloads), **self.upstreams)  # type: ignore[arg-type]
        self.world.expander.answers = [f"A cat, version {number}." for number in range(100)]
        self.unrest = Unrest()
        for owner, name in self._effects():
            self.unrest.watch(owner, name)
        # Its counted limits are never in its way: what the books say is the matter here.
        self.key = issue(
            "test",
            0.0,
            limits=KeyLimits(
                requests_per_minute=None, concurrent=1000, pictures_per_day=1_000_000, micro_dollars_per_day=10**12
            ),
        )[0]
        self.id = self.world.begun(n, self.key, expand=expand).id
        self.steps: dict[str, Step] = {}

    def _effects(self) -> list[tuple[object, str]]:
        world = self.world
        mine = [(world.store, "get"), (world.store, "replace"), (world.workflow, "start"), (world.http, "download")]
        return [
            *mine,
            (world.images, "put"),
            (world.expander, "expand"),
            *((upstream, "submit") for upstream in self.upstreams.values()),
        ]

    @property
    def stored(self) -> Operation:
        return loads(Operation, self.world.store.documents[self.id])

    @rule(run=RUNS)
    def submit(self, run: str) -> None:
        with suppress(Killed):
            self.steps[run] = self.world.submit(self.id, run)

    @rule(run=RUNS)
    def expand(self, run: str) -> None:
        with suppress(Killed):
            self.steps[run] = self.world.expand(self.id)

    @rule(run=RUNS)
    def the_expansion_breaks_down(self, run: str) -> None:
        with suppress(Killed):
            self.steps[run] = self.world.submit(self.id, run, without_expansion="States.Timeout")

    @rule(works=st.booleans())
    def the_language_model_works_or_not(self, works: bool) -> None:
        failure = UpstreamError(Failure(FailureCode.UPSTREAM_FAILED, "broken"))
        self.world.expander.answers[0] = "A cat, again." if works else failure

    @rule(run=RUNS)
    def poll(self, run: str) -> None:
        last_poll_at = self.steps[run].last_poll_at if run in self.steps else 0.0
        with suppress(Killed):
            self.steps[run] = self.world.poll(self.id, run, last_poll_at)

    @rule(run=RUNS)
    def follow(self, run: str) -> None:
        """As the workflow does: wait as told, then the next step."""
        step = self.steps.get(run)
        if step is None or step.next == "submit":
            self.submit(run)
        elif step.next == "expand":
            self.expand(run)
        elif step.next == "wait":
            self.world.clock.sleep(step.wait)
            self.poll(run)

    @rule(name=UPSTREAMS, mood=st.sampled_from(MOODS))
    def the_upstream_is_in_a_mood(self, name: str, mood: str) -> None:
        self.upstreams[name].mood = mood

    @rule(name=UPSTREAMS, end=st.sampled_from(ENDS))
    def the_last_job_stands_so(self, name: str, end: str) -> None:
        jobs = self.upstreams[name].jobs
        if jobs:
            jobs[max(jobs)] = end

    @rule(seconds=st.sampled_from([0.5, 5, 60, 400, 1000, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)

    @rule()
    def sweep(self) -> None:
        with suppress(Killed):
            self.world.sweep()

    @rule()
    def cancel(self) -> None:
        with suppress(WrongState, Killed):
            self.world.cancel(self.stored)

    @rule()
    def retry(self) -> None:
        with suppress(WrongState, Killed):
            self.world.retry(self.stored, self.key)

    @rule()
    def fail(self) -> None:
        with suppress(Killed):
            self.world.fail(self.id, "States.Timeout")

    @rule(countdown=st.integers(0, 6), after=st.booleans(), run=RUNS)
    def somebody_will_die(self, countdown: int, after: bool, run: str) -> None:
        self.unrest.plan(countdown, after, die)
        self.follow(run)
        self.unrest.countdown = -1

    @rule(
        countdown=st.integers(0, 6),
        after=st.booleans(),
        run=RUNS,
        late=st.sampled_from([0, 60, 1000]),
        action=st.sampled_from(
            ["submit", "poll", "submit_twice", "poll_and_submit", "expand", "cancel", "fail", "sweep"]
        ),
    )
    def somebody_will_overtake(self, countdown: int, after: bool, run: str, late: float, action: str) -> None:
        other = "B" if run == "A" else "A"
        deeds: dict[str, list[Callable[[], None]]] = {
            "submit": [lambda: self.submit(other)],
            "poll": [lambda: self.poll(other)],
            "submit_twice": [lambda: self.submit(other)] * 2,
            "poll_and_submit": [lambda: self.poll(other), lambda: self.submit(other)],
            "expand": [lambda: self.expand(other), lambda: self.submit(other)],
            "cancel": [self.cancel],
            "fail": [self.fail],
            "sweep": [self.sweep],
        }

        def next_fault() -> None:
            self.world.clock.sleep(late)
            for entry in deeds[action]:
                entry()

        self.unrest.plan(countdown, after, next_fault)
        self.follow(run)
        self.unrest.countdown = -1

    @invariant()
    def all_is_well(self) -> None:
        invariants.hold(self.world.store.history, self.world.images.objects, self.upstreams.values())

    @invariant()
    def the_books_are_right(self) -> None:
        invariants.books_hold_what_operations_use(
            [self.world.store.history], self.world.store.usage_ledger, MICRO_DOLLARS
        )

    @invariant()
    def nothing_open_is_forgotten(self) -> None:
        now, one = self.world.clock.now(), self.stored
        if not one.done or one.has_live_jobs:
            assert one.due_at < now + FOREVER

    def teardown(self) -> None:
        """When peace returns, sweep alone brings it to an end, and nothing is left to harvest."""
        if not hasattr(self, "world"):
            return
        self.unrest.countdown = -1
        for upstream in self.upstreams.values():
            upstream.mood = "ticket"
            upstream.jobs = dict.fromkeys(upstream.jobs, "ready")
        self.world.workflow.runs.clear()
        for _ in range(40):
            if self.stored.done and not self.stored.has_live_jobs:
                break
            self.world.clock.sleep(60)
            self.world.sweep()
            for _, run in self.world.workflow.runs:
                self._drive(run)
            self.world.workflow.runs.clear()
        assert self.stored.done, self.stored
        assert not self.stored.has_live_jobs, self.stored
        self.all_is_well()
        self.the_books_are_right()

    def _drive(self, run: str) -> None:
        step = self.world.submit(self.id, run)
        for _ in range(100):
            if step.next == "done":
                return
            for upstream in self.upstreams.values():
                upstream.jobs = dict.fromkeys(upstream.jobs, "ready")
            self.world.clock.sleep(step.wait)
            step = self._next(step, run)
        raise AssertionError(f"still {step}")

    def _next(self, step: Step, run: str) -> Step:
        if step.next == "expand":
            return self.world.expand(self.id)
        return self.world.submit(self.id, run) if step.next == "submit" else self.world.poll(self.id, run)


def test_whatever_happens_the_invariants_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    # Answers in the order asked, not in the order threads are scheduled: a failure must be reproducible.
    monkeypatch.setattr(upstream_poller, "as_completed", lambda sent, timeout=None: list(sent))
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=30,
            report_multiple_bugs=False,
            suppress_health_check=checks,
        ),
    )
