"""The workflow's state Submit."""

from typing import Any

from imagegate.wiring import tasks

submit = tasks.submit()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …, "run": …}`, and `"unexpanded"` if Expand broke down; return the next step."""
    return submit(event["id"], event["run"], event.get("unexpanded", "")).payload()
