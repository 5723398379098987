"""The workflow's state Expand."""

from typing import Any

from imagegate.deployment import Deployment

expand = Deployment.from_environment().expand


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …}`, return the next step."""
    return expand(event["id"]).payload()
