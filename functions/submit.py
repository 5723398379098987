"""The workflow's state Submit."""

from typing import Any

from imagegate.deployment import Deployment

deployment = Deployment.from_environment()
submit = deployment.submit


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{"id": …, "run": …}`, and `"unexpanded"` if Expand broke down; return the next step."""
    invocation = deployment.invocation(event, context.get_remaining_time_in_millis())
    return submit(event["id"], invocation, event.get("unexpanded", "")).payload()
