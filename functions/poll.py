"""The workflow's state Poll."""

from typing import Any

from imagegate.wiring import tasks

poll = tasks.poll()


def handler(event: dict[str, Any], context: tasks.Context) -> dict[str, Any]:
    """Take `{"id": …, "run": …, "looked_at": …, "looks": …, "again_at": …}`, return the next step."""
    invocation = tasks.invocation(event, context)
    return poll(event["id"], invocation, event["looked_at"], event["looks"], event["again_at"]).payload()
