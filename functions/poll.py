"""The workflow's state Poll."""

from typing import Any

from imagegate.deployment import Deployment

deployment = Deployment.from_environment()
poll = deployment.poll


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{"id": …, "run": …, "looked_at": …, "looks": …, "again_at": …}`, return the next step."""
    invocation = deployment.invocation(event, context.get_remaining_time_in_millis())
    return poll(event["id"], invocation, event["looked_at"], event["looks"], event["again_at"]).payload()
