"""The workflow's state Expand."""

from typing import Any

from imagegate.wiring import tasks

expand = tasks.expand()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …}`, return the next step."""
    return expand(event["id"]).payload()
