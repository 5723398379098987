"""What the live line says of a running operation."""

from typing import Any

import pytest

from imagegate.cli.client.states import describe


def running(state: str, *attempts: str) -> dict[str, Any]:
    """An operation as the API renders it, ten seconds old."""
    return {
        "state": state,
        "attempts": [{"provider": "acme", "state": name, "error": None} for name in attempts],
        "images": [],
        "n": 1,
        "created_at": "1970-01-01T00:00:10Z",
        "estimated_ready_at": "1970-01-01T00:00:40Z",
    }


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (running("queued"), "queued"),
        (running("queued", "submitting"), "waiting for acme to answer"),
        (running("running", "submitted"), "making it at acme"),
        (running("running", "ready"), "storing what acme made"),
        (running("running", "done"), "running"),
    ],
)
def test_it_says_what_happens_now(operation: dict[str, Any], text: str) -> None:
    assert describe(operation, 20.0) == f"{text} · 10 s of about 30 s"
