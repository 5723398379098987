"""Every use case wired to fakes, as imagegate.wiring wires it to AWS."""

from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Routes
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.retry import Retry
from imagegate.usecases.start import GenerationRequest, Start
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.expand import Expand
from imagegate.workflow.fail import Fail
from imagegate.workflow.next_step import Invocation, Planner, Step
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.poll import Poll
from imagegate.workflow.store_pictures import StorePictures
from imagegate.workflow.submit import Submit
from imagegate.workflow.sweep import Sweep
from support.fakes import (
    FakeClock,
    MemoryAdmission,
    MemoryImages,
    MemoryLatencies,
    MemoryStore,
    MemoryTelemetry,
    MemoryWorkflow,
    ScriptedExpander,
    ScriptedHttp,
    ScriptedProvider,
    picture,
    routes,
)
from support.unrest import before

URL = "https://alpha.invalid/p.png"


def ready(seed: int = 7) -> Ready:
    """A finished picture at the upstream."""
    return Ready(sources=(Source(URL),), seed=seed)


@dataclass
class World:
    """One deployment in memory, with two providers on the route of `flux`."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    images: MemoryImages = field(default_factory=MemoryImages)
    workflow: MemoryWorkflow = field(default_factory=MemoryWorkflow)
    latencies: MemoryLatencies = field(default_factory=MemoryLatencies)
    admission: MemoryAdmission = field(default_factory=MemoryAdmission)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    http: ScriptedHttp = field(default_factory=lambda: ScriptedHttp(downloads={URL: picture()}))
    alpha: ScriptedProvider = field(default_factory=ScriptedProvider)
    beta: ScriptedProvider = field(default_factory=lambda: ScriptedProvider("beta", "https://beta.invalid"))

    expander: ScriptedExpander = field(default_factory=ScriptedExpander)
    routes: Routes = field(default_factory=lambda: routes("alpha", "beta"))

    def __post_init__(self) -> None:
        self.update_with_retry = UpdateWithRetry(self.store, self.clock)
        self.providers = {"alpha": self.alpha, "beta": self.beta}
        providers = self.providers.__getitem__
        store_pictures = StorePictures(self.images, self.http, PillowPictures())
        outcomes = Outcomes(
            store_pictures,
            providers,
            self.admission,
            self.latencies,
            self.telemetry,
            self.update_with_retry,
            self.clock,
        )
        planner = Planner(self.latencies, lambda name: self.providers[name].limits, self.clock)
        self._start = Start(self.store, self.workflow, self.routes, self.clock, deadline=900, expands=True)
        self._expand = Expand(
            self.store, self.routes, self.expander, self.telemetry, self.update_with_retry, self.clock
        )
        self._poll = Poll(self.store, providers, outcomes, planner, self.update_with_retry, self.clock)
        self._submit = Submit(
            self.store,
            self.images,
            self.routes,
            providers,
            self.admission,
            outcomes,
            self._poll,
            planner,
            self.update_with_retry,
            self.clock,
        )
        self.fail = Fail(self.store, self.update_with_retry, self.clock)
        self.sweep = Sweep(self.store, self.workflow, self.telemetry, self.update_with_retry, self.clock)
        self.cancel = Cancel(self.update_with_retry, self.workflow, self.clock)
        self.retry = Retry(self.update_with_retry, self.workflow, self.routes, self.clock)

    def start(self, generation: GenerationRequest, owner: str = "me", key: ApiKey | None = None) -> Operation:
        """Accept a request."""
        return self._start(generation, owner, key).operation

    def begun(self, n: int = 1, key: ApiKey | None = None, **changes: Any) -> Operation:
        """An accepted request for `n` pictures of a cat."""
        request = replace(ImageRequest("flux", (Message("a cat"),), n=n), **changes)
        return self.start(GenerationRequest(request, "openai_images"), key=key)

    def now(self, operation: Operation) -> Operation:
        """The operation as it is stored."""
        stored = self.store.get(operation.id)
        assert stored is not None
        return stored

    def submit(self, operation_id: str, run: str = "run", without_expansion: str = "") -> Step:
        """One visit of the state Submit."""
        return self._submit(operation_id, self._invocation(run), without_expansion)

    def expand(self, operation_id: str) -> Step:
        """One visit of the state Expand."""
        return self._expand(operation_id)

    def poll(
        self,
        operation_id: str,
        run: str = "run",
        last_poll_at: float = 0.0,
        poll_count: int = 0,
        submit_not_before: float = 0.0,
    ) -> Step:
        """One visit of the state Poll."""
        return self._poll(operation_id, self._invocation(run), last_poll_at, poll_count, submit_not_before)

    def _invocation(self, run: str) -> Invocation:
        return Invocation(run, self.clock.now() + 900)

    def drive(self, operation: Operation, run: str = "run", steps: int = 1000) -> Operation:
        """Do what the state machine does, until it is done."""
        step = self.submit(operation.id, run)
        for _ in range(steps):
            if step.next == "done":
                return self.now(operation)
            if step.next == "submit":
                step = self.submit(operation.id, run)
            elif step.next == "expand":
                step = self.expand(operation.id)
            else:
                self.clock.sleep(step.wait)
                step = self.poll(operation.id, run, step.last_poll_at, step.poll_count, step.submit_not_before)
        raise AssertionError(f"still {step} after {steps} steps")


def overtaken(world: World, operation: Operation) -> None:
    """Submit it; the submitter is thought dead before its call, and another takes the slot."""

    def overtake() -> None:
        world.clock.sleep(60)
        world.poll(operation.id, "other")
        world.submit(operation.id, "other")

    before(world.alpha, "submit", overtake)
    world.submit(operation.id, "one")
