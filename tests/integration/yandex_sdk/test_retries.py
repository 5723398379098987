"""The SDK repeats what is throttled or unavailable: with the same idempotency key, and not for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.scripted_rest import ScriptedRest, scripted_rest
from support.yandex_processes import Bridge, bridge, sdk

pytestmark = [pytest.mark.yandex_sdk, pytest.mark.integration, pytest.mark.xdist_group("yandex-sdk")]
FRAME = {"id": "fbveu1sntj0000000000", "description": "", "createdAt": None, "createdBy": "", "modifiedAt": None}
RESPONSE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
IMAGE = {"@type": RESPONSE, "image": "/9j/2Q==", "modelVersion": ""}
PENDING = (200, {**FRAME, "done": False, "metadata": None}, {})
DONE = (200, {**FRAME, "done": True, "metadata": None, "response": IMAGE}, {})
ATTEMPTS = 5
"""What the SDK does by default."""


def refusal(status: int, code: int) -> tuple[int, Any, dict[str, str]]:
    message = {"error": "not now", "code": code, "message": "not now", "details": []}
    return status, message, {"retry-after": "1"}


@pytest.fixture
def rest() -> Iterator[ScriptedRest]:
    with scripted_rest() as running:
        yield running


@pytest.fixture
def running(rest: ScriptedRest, tmp_path: Path) -> Iterator[Bridge]:
    with bridge("--url", rest.url, "--state-dir", str(tmp_path)) as started:
        yield started


def keys(rest: ScriptedRest) -> list[str]:
    """The idempotency key of every POST."""
    return [got.headers["idempotency-key"] for got in rest.got if got.method == "POST"]


def test_who_is_refused_at_first_gets_the_picture(rest: ScriptedRest, running: Bridge) -> None:
    rest.answers[:] = [refusal(429, 8), refusal(503, 14), PENDING, refusal(429, 8), DONE]
    reported = sdk(running, do="simple", text="a cat")
    assert reported["ok"], reported
    assert len(keys(rest)) == 3
    assert len(set(keys(rest))) == 1


def test_in_the_end_the_reason_is_told(rest: ScriptedRest, running: Bridge) -> None:
    rest.answers[:] = [refusal(429, 8)]
    reported = sdk(running, do="start", text="a cat")
    assert (reported["error"]["code"], reported["error"]["message"]) == ("RESOURCE_EXHAUSTED", "not now")
    assert len(keys(rest)) == ATTEMPTS


@pytest.mark.parametrize(("status", "code", "name"), [(400, 3, "INVALID_ARGUMENT"), (500, 13, "INTERNAL")])
def test_nothing_else_is_repeated(rest: ScriptedRest, running: Bridge, status: int, code: int, name: str) -> None:
    rest.answers[:] = [refusal(status, code)]
    assert sdk(running, do="start", text="a cat")["error"]["code"] == name
    assert len(keys(rest)) == 1
