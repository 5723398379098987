"""Look for an operation's pictures at the upstreams that have its jobs."""

from dataclasses import replace

from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import NEVER, Failed, Looked, Pending, Ready
from imagegate.domain.timing.schedule import LONGEST_WAIT
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import OperationStore
from imagegate.ports.upstreams import ProviderFor
from imagegate.usecases.update import Revise
from imagegate.workflow.next_step import NO_RESTS, ROUNDING, Plan, Rests, Step, Visit
from imagegate.workflow.outcomes import Conclude
from imagegate.workflow.upstream_poller import Look

_LONGEST_STAY = 60.0
"""Seconds; a function has other things to do within its time limit as well."""
_ROOM = 720.0
"""Seconds that a visit must have left for a stay: a stream may be opened in it, and let go it is lost."""
SWEEP_MARGIN = 4 * _LONGEST_STAY
"""Seconds after a planned look when `sweep` takes the run for lost: it may have stayed, died and begun anew."""


class Poll:
    """Runs once per visit of the workflow's `Poll` state."""

    def __init__(
        self,
        store: OperationStore,
        providers: ProviderFor,
        conclude: Conclude,
        plan: Plan,
        revise: Revise,
        clock: Clock,
    ) -> None:
        self._store = store
        self._upstreams = Look(providers, plan, revise, clock)
        self._conclude = conclude
        self._plan = plan
        self._revise = revise
        self._clock = clock

    def __call__(
        self, operation_id: str, visit: Visit, looked_at: float = 0.0, looks: int = 0, again_at: float = 0.0
    ) -> Step:
        """Look once at every job, bring home what is finished, say what comes next.

        `looked_at`: when it last looked (seconds since the epoch), so that completion times are learned as exactly as
        they can be known. `looks`: how often it has looked before. `again_at`: before when (likewise) nobody can be
        asked for the slots that were missing then.
        """
        operation = self._store.get(operation_id, consistent=True)
        if operation is None or operation.done:
            return self.after_the_end(operation_id, operation, visit)
        missing = operation.missing_slots
        operation, rests = self._look(operation, visit, Looked(looked_at, looks + 1))
        operation, rests = self.stay(operation, visit, rests, Looked(self._clock.now(), looks + 1))
        operation = self.overdue(operation)
        not_before = again_at - ROUNDING if set(operation.missing_slots) <= set(missing) else 0.0
        step = self._plan.step(operation, visit.run, rests, not_before)
        self.pushed_back(operation, step)
        return replace(step, looks=looks + 1)

    def stay(
        self, operation: Operation, visit: Visit, rests: Rests = NO_RESTS, looked: Looked = NEVER
    ) -> tuple[Operation, Rests]:
        """Look again and again while that is cheaper than leaving; also which jobs are not to be asked for when.

        `looked`: when the jobs were last seen unfinished.
        """
        until = min(self._clock.now() + _LONGEST_STAY, visit.ends_at - _ROOM)
        while not operation.done and not operation.missing_slots and self._clock.now() < until:
            wait = self._plan.stay(operation, visit.run, rests)
            if wait is None:
                break
            self._clock.sleep(wait)
            operation = self._store.get(operation.id, consistent=True) or operation
            if operation.done:
                self.after_the_end(operation.id, operation, visit)
                break
            operation, rests = self._look(operation, visit, looked)
            looked = Looked(self._clock.now(), looked.times)
        return operation, rests

    def after_the_end(self, operation_id: str, operation: Operation | None, visit: Visit) -> Step:
        """Nobody waits any more: harvest the jobs of a failed operation, stop those of any other."""
        if operation and operation.unsettled and operation.state is State.FAILED:
            self._look(operation, visit, NEVER)
        elif operation and operation.unsettled:
            self._conclude.released(operation)
        return Step(operation_id, "done")

    def _look(self, operation: Operation, visit: Visit, looked: Looked) -> tuple[Operation, Rests]:
        """Look at every job that is due; also which of them do not want to be asked for before when.

        What goes wrong with one is raised when the others' results, some of them told only once, are written down.
        """
        before, operation = operation, self._upstreams.leased(operation, visit)
        rests, errors = dict[int, float](), list[Exception]()
        for attempt, answer in self._upstreams.answers(operation, visit):
            try:
                if answer is None:
                    operation = self.overdue(operation)
                    continue
                heard = answer.result()
                if isinstance(heard.check, Pending):
                    rests[attempt.number] = self._clock.now() + min(heard.check.retry_after or 0.0, LONGEST_WAIT)
                    operation = self._upstreams.unleased(operation, attempt, before, visit)
                else:
                    silent = heard.silent_until
                    seen = looked if silent is None else Looked(silent, looked.times)
                    operation = self._concluded(operation, attempt, heard.check, seen)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return operation, rests

    def _concluded(self, operation: Operation, attempt: Attempt, check: Ready | Failed, looked: Looked) -> Operation:
        if isinstance(check, Ready):
            return self._conclude.ready(operation, attempt, check, looked)
        return self._conclude.failed(operation, attempt, check.failure)

    def overdue(self, operation: Operation) -> Operation:
        """End an operation whose time is up."""
        if operation.done or self._clock.now() < operation.deadline:
            return operation
        return self._conclude.out_of_time(operation)

    def pushed_back(self, operation: Operation, step: Step) -> None:
        """Keep `sweep` from an operation that goes on; written down seldom, as writing costs as much as looking."""
        if step.next == "wait" and operation.due_at < self._clock.now() + step.wait + SWEEP_MARGIN / 2:
            self._revise(operation, lambda one: replace(one, due_at=0), due_in=2 * step.wait + SWEEP_MARGIN)
