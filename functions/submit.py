"""The workflow's state Submit, and steps that waiting clients have taken."""

from typing import Any

from imagegate.deployment import Deployment

deployment = Deployment.from_environment()
submit = deployment.submit


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{"id": …, "run": …}`, and `"unexpanded"` if Expand broke down; return the next step.

    Without `"run"` no execution takes the step, and what is returned is not read.
    """
    remaining = context.get_remaining_time_in_millis()
    if "run" not in event:
        return deployment.direct_step(event["id"], deployment.direct_invocation(event, remaining)).payload()
    return submit(event["id"], deployment.invocation(event, remaining), event.get("unexpanded", "")).payload()
