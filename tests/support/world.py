"""A deployment on fakes: its workflow, with upstreams from a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.deployment import Deployment
from imagegate.domain.access.api_key import ApiKey, Principal
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.routes import Routes
from imagegate.settings import Settings
from imagegate.usecases.start import GenerationRequest
from imagegate.workflow.next_step import Invocation, Step
from support.fakes import (
    FakeClock,
    MemoryAdmission,
    MemoryImages,
    MemoryLatencies,
    MemoryRequestRate,
    MemorySteps,
    MemoryStore,
    MemoryTelemetry,
    MemoryWorkflow,
    ScriptedExpander,
    ScriptedHttp,
    ScriptedProvider,
    no_aws,
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
    steps: MemorySteps | None = None
    """`None`: every operation has an execution."""
    latencies: MemoryLatencies = field(default_factory=lambda: MemoryLatencies(trained=True))
    admission: MemoryAdmission = field(default_factory=MemoryAdmission)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    http: ScriptedHttp = field(default_factory=lambda: ScriptedHttp(downloads={URL: picture()}))
    alpha: ScriptedProvider = field(default_factory=ScriptedProvider)
    beta: ScriptedProvider = field(default_factory=lambda: ScriptedProvider("beta", "https://beta.invalid"))

    expander: ScriptedExpander = field(default_factory=ScriptedExpander)
    routes: Routes = field(default_factory=lambda: routes("alpha", "beta"))
    public_url: str = ""
    """Where upstreams may call; empty: nowhere."""
    provenance: frozenset[str] = frozenset({"metadata"})
    signing: str = ""
    """SSM parameter of the certificate that signs pictures; there is no SSM."""

    def __post_init__(self) -> None:
        self.providers = {"alpha": self.alpha, "beta": self.beta}
        self.deployment = Deployment(
            Settings(
                access="open",
                expander="openai",
                public_url=self.public_url,
                upstream_hooks="auto",
                provenance=self.provenance,
                signing=self.signing,
            ),
            no_aws,
            clock=self.clock,
            store=self.store,
            claims=self.store,
            images=self.images,
            workflow=self.workflow,
            steps=self.steps,
            latencies=self.latencies,
            admission=self.admission,
            telemetry=self.telemetry,
            request_rate=MemoryRequestRate(self.clock),
            http=self.http,
            providers=self.providers.__getitem__,
            limits_of=lambda name: self.providers[name].limits,
            expander=self.expander,
            routes=self.routes,
            webhook_targets=WebhookTargets(lambda host, port: ["93.184.216.34"]),
            webhook_key=lambda: bytes(32),
        )
        self.update_with_retry = self.deployment.update_with_retry
        self.fail, self.sweep = self.deployment.fail, self.deployment.sweep
        self.cancel, self.retry = self.deployment.cancel, self.deployment.retry

    def start(self, generation: GenerationRequest, owner: str = "me", key: ApiKey | None = None) -> Operation:
        """Accept a request."""
        return self.deployment.start(generation, Principal(owner, key)).operation

    def begun(self, n: int = 1, key: ApiKey | None = None, **changes: Any) -> Operation:
        """An accepted request for `n` pictures of a cat."""
        request = replace(ImageRequest(model="flux", messages=(Message("a cat"),), n=n), **changes)
        return self.start(GenerationRequest(request=request, dialect="openai_images"), key=key)

    def now(self, operation: Operation) -> Operation:
        """The operation as it is stored."""
        stored = self.store.get(operation.id)
        assert stored is not None
        return stored

    def submit(self, operation_id: str, run: str = "run", without_expansion: str = "") -> Step:
        """One run of the state Submit."""
        return self.deployment.submit(operation_id, self._invocation(run), without_expansion)

    def direct_step(self, operation_id: str, last_poll_at: float = 0.0, poll_count: int = 0) -> Step:
        """One invocation of `submit` without an execution."""
        event = {"id": operation_id, "looked_at": last_poll_at, "looks": poll_count}
        return self.deployment.direct_step(operation_id, self.deployment.direct_invocation(event, 900_000))

    def expand(self, operation_id: str) -> Step:
        """One run of the state Expand."""
        return self.deployment.expand(operation_id)

    def poll(
        self,
        operation_id: str,
        run: str = "run",
        last_poll_at: float = 0.0,
        poll_count: int = 0,
        submit_not_before: float = 0.0,
    ) -> Step:
        """One run of the state Poll."""
        step = Step(
            operation_id,
            "wait",
            last_poll_at=last_poll_at,
            poll_count=poll_count,
            submit_not_before=submit_not_before,
        )
        return self.poll_event(step.payload() | {"run": run})

    def poll_event(self, event: Mapping[str, Any]) -> Step:
        """One invocation of the state Poll with what the workflow hands to its function."""
        return self.deployment.poll(Step.of(event), self._invocation(event["run"]))

    def _invocation(self, run: str) -> Invocation:
        return self.deployment.invocation({"run": run}, 900_000)

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
    world.submit(operation.id, "first")
