"""The workflow's state Fail, entered through Catch."""

from typing import Any

from imagegate.wiring import upkeep

fail = upkeep.fail()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take `{"id": …, "error": …}`, return the last step."""
    return fail(event["id"], event["error"]).payload()
