"""What the workflow carries from one step to the next."""

import pytest

from imagegate.workflow.next_step import Step

WAIT = Step("op", "wait", wait=4, last_poll_at=1795180251.5, poll_count=2, submit_not_before=1795180300.0)
PAYLOAD = {"id": "op", "next": "wait", "wait": 4, "looked_at": 1795180251.5, "looks": 2, "again_at": 1795180300.0}
"""As running executions hold it; these keys never change."""


def test_a_step_keeps_the_keys_that_running_executions_hold() -> None:
    assert WAIT.payload() == PAYLOAD


@pytest.mark.parametrize("step", [WAIT, Step("op", "submit"), Step("op", "expand"), Step("op", "done")])
def test_a_step_comes_back_from_the_workflow_as_it_was(step: Step) -> None:
    assert Step.of(step.payload()) == step


def test_a_step_is_read_from_what_the_workflow_hands_to_poll() -> None:
    event = {name: PAYLOAD[name] for name in ("id", "looked_at", "looks", "again_at")} | {"run": "op-1"}
    step = Step.of(event)
    assert (step.operation_id, step.last_poll_at, step.poll_count, step.submit_not_before) == (
        "op",
        1795180251.5,
        2,
        1795180300.0,
    )


def test_a_step_of_an_earlier_version_is_read() -> None:
    step = Step.of({"id": "op", "next": "wait", "wait": 4, "looked_at": 1795180251.5})
    assert step == Step("op", "wait", wait=4, last_poll_at=1795180251.5)
