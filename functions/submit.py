"""The workflow's state Submit."""

from typing import Any

from imagegate.wiring import tasks

submit = tasks.submit()


def handler(event: dict[str, Any], context: tasks.Context) -> dict[str, Any]:
    """Take `{"id": …, "run": …}`, and `"unexpanded"` if Expand broke down; return the next step."""
    return submit(event["id"], tasks.invocation(event, context), event.get("unexpanded", "")).payload()
