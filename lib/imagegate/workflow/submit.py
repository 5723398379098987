"""Hand an operation's missing pictures to upstreams."""

from dataclasses import replace
from typing import NamedTuple

from imagegate.domain.access.ledger import budget_of
from imagegate.domain.errors import Failure, FailureCode, QuotaExhausted, RateLimited, UpstreamError
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready, Ticket
from imagegate.domain.request.capabilities import ignored, with_negative_prompt
from imagegate.domain.request.expansion import prompt_budget, shorten
from imagegate.domain.request.request import InputImage
from imagegate.domain.request.route import Route, Routes, Target
from imagegate.domain.timing.failover import Choice, choose, last_throttled
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import Admission, ImageStore, OperationStore
from imagegate.ports.upstreams import Provider, ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.next_step import Invocation, Planner, Step
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.poll import SWEEP_MARGIN, Poll

_BUDGET = 300.0
"""Seconds after which one visit begins no further submission: blocking upstreams take minutes each."""
_LEASE_MARGIN = 15.0
_GONE = "The pictures that came with the request are no longer kept; send it again."
_INPUTS_GONE = Failure(FailureCode.INVALID_REQUEST, _GONE)


class _Inputs(NamedTuple):
    """Pictures to work from, and where to."""

    images: tuple[InputBody, ...]
    mask: InputBody | None


class Submit:
    """Runs once per visit of the workflow's `Submit` state."""

    def __init__(
        self,
        store: OperationStore,
        images: ImageStore,
        routes: Routes,
        providers: ProviderFor,
        admission: Admission,
        outcomes: Outcomes,
        poll: Poll,
        planner: Planner,
        update_with_retry: UpdateWithRetry,
        clock: Clock,
    ) -> None:
        self._store = store
        self._images = images
        self._routes = routes
        self._providers = providers
        self._admission = admission
        self._outcomes = outcomes
        self._poll = poll
        self._planner = planner
        self._update = update_with_retry
        self._clock = clock

    def __call__(self, operation_id: str, invocation: Invocation, without_expansion: str = "") -> Step:
        """Submit every missing slot, stay for quick jobs, and say what comes next.

        `unexpanded`: the workflow's short name of the error by which the state Expand broke down for good.
        """
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self._poll.settle_after_end(operation_id, operation, invocation)
        if operation.awaits_expansion and not without_expansion:
            return Step(operation_id, "expand")
        operation = self._poll.fail_if_overdue(operation)
        if operation.done:
            return self._poll.settle_after_end(operation_id, operation, invocation)
        given_up = Failure(FailureCode.INTERNAL, f"The prompt could not be expanded ({without_expansion}).")

        def ready(current: Operation) -> Operation:
            now = self._clock.now()
            return current.without_expansion(given_up).reopen_lost(now).complete_if_done(now)

        operation = self._update(operation, ready, sweep_after=SWEEP_MARGIN)
        operation, submit_not_before = self._submit_all(operation)
        if operation.done:
            return self._poll.settle_after_end(operation_id, operation, invocation)
        operation, poll_not_before = self._poll.poll_inline(operation, invocation)
        step = self._planner.next_step(operation, invocation.execution, poll_not_before, submit_not_before)
        self._poll.postpone_sweep(operation, step)
        return step

    def _submit_all(self, operation: Operation) -> tuple[Operation, float]:
        """Try every missing slot; also when the earliest of those that must wait may be tried again."""
        until, retry_at = self._clock.now() + _BUDGET, dict.fromkeys(operation.missing_slots, 0.0)
        for slot in operation.missing_slots:
            operation = self._poll.fail_if_overdue(operation)
            if operation.done or self._clock.now() >= until:
                return operation, 0.0
            if slot not in operation.missing_slots:
                continue  # it went along with another
            operation, retry_at[slot] = self._submit_slot(operation, slot)
        return operation, min((retry_at.get(slot, 0.0) for slot in operation.missing_slots), default=0.0)

    def _submit_slot(self, operation: Operation, slot: int) -> tuple[Operation, float]:
        """Try one slot; also when it may be tried if not now, in seconds since the epoch.

        A provider for whose price the budget has no room is passed over.
        """
        route, no_room = self._routes.resolve(operation.request), None
        while choice := self._choice(operation, route, slot):
            if choice.at > self._clock.now():
                return operation, choice.at
            try:
                return self._try(operation, choice.target, self._batch(operation, choice.target, slot)), 0.0
            except QuotaExhausted as refused:
                route, no_room = route.without(choice.target.provider), refused
            except RateLimited as crowded:
                return operation, self._clock.now() + (crowded.retry_after or 0.0)
        return self._outcomes.fail_exhausted(operation, slot, no_room), 0.0

    def _batch(self, operation: Operation, target: Target, slot: int) -> tuple[int, ...]:
        """The slots that can go into one submission with `slot`: untried ones, where no seed tells them apart."""
        if operation.request.seed is not None:
            return (slot,)
        tried = {slot for attempt in operation.counted_attempts for slot in attempt.slots}
        alike = [other_slot for other_slot in operation.missing_slots if other_slot not in tried and other_slot != slot]
        return (slot, *(alike if slot not in tried else [])[: target.limits.images_per_call - 1])

    def _choice(self, operation: Operation, route: Route, slot: int) -> Choice | None:
        """The next provider for a slot: one that has turns left and may be asked now, if there is one."""
        attempts = [attempt for attempt in operation.counted_attempts if slot in attempt.slots]
        closed: dict[str, float] = {}
        while True:
            now = self._clock.now()
            choice = choose(route, attempts, closed, now)
            if choice is None or choice.at > now:
                return choice
            until = self._admission.admit(choice.target.provider)
            if until <= now:
                return choice
            closed[choice.target.provider] = until

    def _try(self, operation: Operation, target: Target, slots: tuple[int, ...]) -> Operation:
        try:
            inputs = self._inputs(operation)
        except KeyError:
            return self._outcomes.fail(operation, _INPUTS_GONE)
        operation, attempt = self._begin_attempt(operation, target, slots)
        if attempt not in operation.attempts:
            return operation  # it ended meanwhile, or another driver was first
        provider = self._providers(target.provider)
        try:
            outcome = provider.submit(self._build_request(operation, attempt, provider, inputs))
        except UpstreamError as error:
            return self._outcomes.record_failure(operation, attempt, error.failure)
        return self._record(operation, attempt, outcome, provider)

    def _build_request(
        self, operation: Operation, attempt: Attempt, provider: Provider, inputs: _Inputs
    ) -> UpstreamRequest:
        request, seeds, slot = operation.request, provider.limits.seed_maximum + 1, attempt.slots[0]
        seed = None if request.seed is None else (request.seed + slot) % seeds
        prompt = operation.prompt_for(attempt)
        request = request.with_prompt(prompt) if prompt else request
        first_number = _first_number_of_repeats(operation, attempt)
        return UpstreamRequest(
            replace(with_negative_prompt(request, provider.limits), seed=seed),
            attempt.model,
            len(attempt.slots),
            inputs=inputs.images,
            mask=inputs.mask,
            idempotency_key=f"{operation.id}-{slot}-{first_number}",
            repeated=first_number != attempt.number,
        )

    def _inputs(self, operation: Operation) -> _Inputs:
        """What came with the request. Raises KeyError when it is no longer kept."""
        request, at = operation.request, operation.created_at
        bodies = tuple(self._input(image, at) for image in request.inputs)
        return _Inputs(bodies, self._input(request.mask, at) if request.mask else None)

    def _input(self, image: InputImage, at: float) -> InputBody:
        return InputBody(self._images.get(image.key, at), image.content_type)

    def _begin_attempt(self, operation: Operation, target: Target, slots: tuple[int, ...]) -> tuple[Operation, Attempt]:
        """Write the attempt before the call, so that a crash in between is seen.

        Raises QuotaExhausted when the budget has no room for its price, RateLimited when the books are too busy.
        """
        now = self._clock.now()
        lease = target.limits.submit_seconds + _LEASE_MARGIN
        before = last_throttled(
            [attempt for attempt in operation.counted_attempts if attempt.slots == slots], target.provider
        )
        attempt = Attempt(
            number=before.number if before else len(operation.attempts) + 1,
            provider=target.provider,
            model=target.model,
            slots=slots,
            state=AttemptState.SUBMITTING,
            started_at=now,
            lease_until=now + lease,
            repeats=before.repeats + 1 if before else 0,
            not_honoured=(*ignored(operation.request, target.limits), *_ignored_expansion(operation)),
            micro_dollars=len(slots) * (target.micro_dollars or 0),
            prompt=_shortened_prompt(operation, target),
        )

        def begin(current: Operation) -> Operation:
            if current.done or current.attempts != operation.attempts:
                return current  # what was decided rests on attempts that are no longer all
            running = current if current.state is State.RUNNING else current.moved(State.RUNNING, now)
            return running.with_attempt(attempt)

        return self._update(
            operation, begin, sweep_after=lease + SWEEP_MARGIN, limits=budget_of(operation.account)
        ), attempt

    def _record(self, operation: Operation, attempt: Attempt, outcome: Ticket | Ready, provider: Provider) -> Operation:
        if isinstance(outcome, Ready):
            return self._outcomes.record_success(operation, attempt, outcome)
        limits = provider.limits
        submitted = replace(
            attempt,
            state=AttemptState.SUBMITTED,
            ticket=outcome.data,
            keep_until=attempt.started_at + limits.retention_seconds,
            lease_until=0.0,
        )
        # Nothing may come before this that can fail, be it a look at how long the job will take.
        return self._update(operation, lambda current: current.merge_attempt(submitted), sweep_after=SWEEP_MARGIN)


def _first_number_of_repeats(operation: Operation, attempt: Attempt) -> int:
    """The attempt's number, or that of the first one it repeats, as long as what became of them is not known.

    By the same key an upstream may know the submission again; after a definite end it would only repeat that.
    """
    number = attempt.number
    for known in reversed(operation.attempts):
        if known.number != attempt.number and (known.provider, known.slots) == (attempt.provider, attempt.slots):
            if known.state is not AttemptState.UNKNOWN:
                break
            number = known.number
    return number


def _ignored_expansion(operation: Operation) -> tuple[str, ...]:
    return ("expand",) if operation.not_expanded else ()


def _shortened_prompt(operation: Operation, target: Target) -> str | None:
    """The revised prompt cut to what the provider takes; `None` when it need not be."""
    revised = operation.revised_prompt or ""
    fitting = shorten(revised, prompt_budget(operation.request, target.limits))
    return None if fitting == revised else fitting
