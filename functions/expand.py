"""The workflow's state Expand."""

from typing import Any

from imagegate import wiring

expand = wiring.expand()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …}`, return the next step."""
    return expand(event["id"]).payload()
