"""An operation's state in words, as people follow it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from imagegate.cli.sentences import printable

Operation = Mapping[str, Any]
"""An operation as the API renders it."""
_ATTEMPTS = {
    # Some providers only answer when the picture is there.
    "submitting": "waiting for {provider} to answer",
    "submitted": "making it at {provider}",
    "ready": "storing what {provider} made",
}


def describe(operation: Operation, now: float) -> str:
    """What happens to a running operation, for how long, and how long it will probably take."""
    parts = [*_failed(operation), _doing(operation), _times(operation, now)]
    return printable(" · ".join(parts))


def seconds(operation: Operation) -> float | None:
    """How long an ended operation took."""
    if operation["ended_at"] is None:
        return None
    return moment(operation["ended_at"]) - moment(operation["created_at"])


def moment(text: str) -> float:
    """RFC 3339 as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def providers(operation: Operation) -> str:
    """Who made its pictures."""
    return ", ".join(dict.fromkeys(image["provider"] for image in operation["images"]))


def _doing(operation: Operation) -> str:
    attempt = next((attempt for attempt in reversed(operation["attempts"]) if attempt["state"] in _ATTEMPTS), None)
    if attempt is None:
        return str(operation["state"])
    text = _ATTEMPTS[attempt["state"]].format(provider=attempt["provider"])
    made = len(operation["images"])
    return f"{text}, {made} of {operation['n']}" if made else text


def _failed(operation: Operation) -> list[str]:
    """The providers that have failed, so that a failover is seen as it happens."""
    failed = {attempt["provider"]: attempt["error"]["code"] for attempt in operation["attempts"] if attempt["error"]}
    return [f"{provider} failed ({code})" for provider, code in failed.items()]


def _times(operation: Operation, now: float) -> str:
    began = moment(operation["created_at"])
    expected = moment(operation["estimated_ready_at"]) - began if operation["estimated_ready_at"] else 0.0
    elapsed = max(now - began, 0.0)
    return f"{elapsed:.0f} s of about {expected:.0f} s" if expected > elapsed else f"{elapsed:.0f} s"
