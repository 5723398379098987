"""Expand an operation's prompt with a language model, or record why it was not expanded."""

from dataclasses import dataclass

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.expanded_prompt import extract_prompt, is_refusal
from imagegate.domain.request.expansion import LONG_ENOUGH, prompt_budget, shorten
from imagegate.domain.request.routes import Routes
from imagegate.ports.runtime import Clock, Telemetry
from imagegate.ports.storage import OperationStore
from imagegate.ports.upstreams import Expander
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.next_step import Step

PATIENCE = 30.0
"""Seconds that the language model may take at most."""
_SHARE = 0.5
"""Share of the remaining time; the rest is for the pictures."""
_PAUSES = (1.0, 3.0)
"""Seconds before each retry of a busy language model that does not say when to retry."""
_SWEEP_MARGIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """Runs once per invocation of the workflow's `Expand` state. The first result written is kept."""

    store: OperationStore
    routes: Routes
    expander: Expander | None
    """`None` where the deployment no longer has one."""
    telemetry: Telemetry
    update: UpdateWithRetry
    clock: Clock

    def __call__(self, operation_id: str) -> Step:
        """Write the expanded prompt, or the reason why there is none; the next step is Submit in both cases."""
        operation = self.store.get(operation_id, consistent=True)
        if operation is not None and operation.awaits_expansion:
            self._write_result(operation)
        return Step(operation_id, "submit")

    def _write_result(self, operation: Operation) -> None:
        began, prompt, failure = self.clock.now(), "", None
        try:
            prompt = self._expand_prompt(operation)
        except UpstreamError as error:
            private = operation.request.private
            failure = error.failure.redacted("the language model") if private else error.failure

        def settle(current: Operation) -> Operation:
            return current.without_expansion(failure) if failure else current.expanded(prompt)

        self.update(operation, settle, sweep_after=_SWEEP_MARGIN)
        self.telemetry.expansion(operation, self.clock.now() - began, failure)

    def _expand_prompt(self, operation: Operation) -> str:
        """The prompt, as long as the route's first provider takes it. Raises UpstreamError when there is none."""
        if len(operation.request.prompt) > LONG_ENOUGH:
            raise _unexpanded(
                FailureCode.INVALID_REQUEST, f"The prompt has more than {LONG_ENOUGH} characters, which is long enough."
            )
        [first, *_] = self.routes.route_of(operation.request, operation.model).targets
        wanted = prompt_budget(operation.request, first.limits)
        answer = self._ask_with_retry(operation, wanted)
        prompt = extract_prompt(answer)
        if is_refusal(prompt):
            raise _unexpanded(FailureCode.CONTENT_FILTERED, "The language model would not expand this prompt.")
        if not prompt:
            raise _unexpanded(FailureCode.BAD_PAYLOAD, "The language model's answer contains no prompt.")
        return shorten(prompt, wanted)

    def _ask_with_retry(self, operation: Operation, characters: int) -> str:
        if self.expander is None:
            raise _unexpanded(FailureCode.NOT_FOUND, "This deployment no longer expands prompts.")
        now = self.clock.now()
        until = now + min(PATIENCE, (operation.deadline - now) * _SHARE)
        for pause in _PAUSES:
            try:
                return self._ask(operation, characters, until)
            except UpstreamError as error:
                pause = error.failure.retry_after or pause
                if not error.failure.certainly_free or self.clock.now() + pause >= until:
                    raise
            self.clock.sleep(pause)
        return self._ask(operation, characters, until)

    def _ask(self, operation: Operation, characters: int, until: float) -> str:
        assert self.expander
        left = until - self.clock.now()
        if left <= 0:
            raise _unexpanded(FailureCode.DEADLINE_EXCEEDED, "No time was left to expand the prompt.")
        return self.expander.expand(operation.request.prompt, characters, left, operation.request.private)


def _unexpanded(code: FailureCode, message: str) -> UpstreamError:
    return UpstreamError(Failure(code, message))
