"""The workflow's state Poll."""

from typing import Any

from imagegate.deployment import Deployment
from imagegate.workflow.next_step import Step

deployment = Deployment.from_environment()
poll = deployment.poll


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a step's payload and `"run"`, return the next step's."""
    return poll(Step.of(event), deployment.invocation(event, context.get_remaining_time_in_millis())).payload()
