"""Take a step of an operation that its waiting client drives: no execution takes it.

Scenarios: tests/scenarios/test_client_driven.py.
"""

import logging
from dataclasses import dataclass

from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.workflow.next_step import Invocation, Step
from imagegate.workflow.submit import Submit


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectStep:
    """Submits what is missing and polls what runs; an execution continues with whatever takes more than that."""

    submit: Submit
    start_workflow: StartWorkflow

    def __call__(self, operation_id: str, invocation: Invocation) -> Step:
        """Take the step and return the next one, which the client has taken if it is a poll.

        A step that fails is repeated by the execution, whose retries and whose state Fail know what to do.
        """
        try:
            step = self.submit(operation_id, invocation)
        except Exception:
            logging.exception("a step of operation %s failed; an execution repeats it", operation_id)
            # Under the name of this step: what it has leased is the execution's, which opens a stream again at once.
            self.start_workflow(operation_id, execution=invocation.execution)
            return Step(operation_id, "submit")
        only_polls = step.next == "wait" and not step.submit_not_before
        if step.next != "done" and not only_polls:
            self.start_workflow(operation_id, execution=operation_id)
        return step
