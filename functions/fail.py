"""The workflow's state Fail, entered through Catch."""

from typing import Any

from imagegate.deployment import Deployment

fail = Deployment.from_environment().fail


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …, "error": …}`, return the last step."""
    return fail(event["id"], event["error"]).payload()
