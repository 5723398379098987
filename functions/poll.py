"""The workflow's state Poll."""

from typing import Any

from imagegate.wiring import tasks

poll = tasks.poll()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …, "run": …, "looked_at": …, "looks": …}`, return the next step."""
    return poll(event["id"], event["run"], event["looked_at"], event["looks"]).payload()
