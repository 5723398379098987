"""The workflow's state Poll."""

from typing import Any

from imagegate import wiring

poll = wiring.poll()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …}`, return the next step."""
    return poll(event["id"]).payload()
