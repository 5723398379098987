"""The deployed template on a machine that fails: MiniStack killed, the whole stack stopped, and all ends well."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("restart")]

PATIENCE = 60.0
MODELS = ("flux", "yandex-art-legacy", "flux", "yandex-art-legacy")


def until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition returns as soon as it is true; a stack that is just coming back counts as not yet."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):
            if found := condition():
                return found
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {PATIENCE:.0f} s")


def begun(stack: Stack, batch: str) -> list[str]:
    """Accepted operations, all under way at upstreams that take their time."""
    ids = []
    for number, model in enumerate(MODELS):
        body = {"model": model, "prompt": f"[delay 6s] {batch} {number}"}
        answer = requests.post(f"{stack.base_url}/v1/operations", json=body)
        assert answer.status_code in (200, 202), answer.text
        ids.append(answer.json()["id"])
    return ids


def stored(stack: Stack, operation_id: str) -> str:
    key = {"pk": {"S": f"op#{operation_id}"}}
    item = stack.client("dynamodb").get_item(TableName=stack.outputs["TableName"], Key=key, ConsistentRead=True)["Item"]
    return str(item["body"]["S"])


def under_way_and_saved(stack: Stack, ids: list[str]) -> bool:
    """Every upstream's ticket is in the table, and the table as it is on disk (the embedded one saves every second)."""
    bodies = [stored(stack, operation_id) for operation_id in ids]
    if not all(json.loads(body)["attempts"] and "ticket" in json.loads(body)["attempts"][-1] for body in bodies):
        return False
    text = stack.folder.snapshot.read_text() if stack.folder.snapshot.exists() else ""
    return all(json.dumps(body)[1:-1] in text or json.dumps(body, ensure_ascii=False)[1:-1] in text for body in bodies)


def shown(stack: Stack, operation_id: str) -> dict[str, Any]:
    answer = requests.get(f"{stack.base_url}/v1/operations/{operation_id}", timeout=10)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


def all_succeed(stack: Stack, ids: list[str]) -> int:
    """Wait for it; returns how many submissions are on their records."""
    attempts = 0
    for operation_id in ids:
        until(lambda operation_id=operation_id: shown(stack, operation_id)["done"], "the operation ends")  # type: ignore[misc]
        document = shown(stack, operation_id)
        assert document["state"] == "succeeded", document
        attempts += sum(1 + attempt["repeats"] for attempt in document["attempts"])
        [image] = document["images"]
        head = stack.client("s3").head_object(Bucket=stack.outputs["BucketName"], Key=image["key"])
        assert head["ContentLength"] == image["bytes"]
    return attempts


def submissions(stack: Stack, batch: str) -> int:
    ledger = requests.get(f"{stack.upstreams_url}/_standin/submissions").json()["submissions"]
    return sum(f" {batch} " in call["prompt"] for call in ledger)


def test_killed_or_stopped_in_the_middle_every_operation_is_finished(tmp_path: Path) -> None:
    settings = replace(
        on_free_ports(tmp_path / "state"),
        stand_ins=StandIns(build_app(latency_seconds=0.2), STAND_IN_SECRETS),
        environment={"SFN_WAIT_SCALE": "0.2"},
        say=lambda line: None,
    )
    with Stack(settings) as stack:
        ids = begun(stack, "killed")
        until(lambda: under_way_and_saved(stack, ids), "all are under way")
        killed = stack.ministack.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        until(lambda: stack.ministack.pid not in (killed, None), "the watchdog starts another")
        on_record = all_succeed(stack, ids)
        assert submissions(stack, "killed") <= on_record
        ids = begun(stack, "stopped")
        until(lambda: under_way_and_saved(stack, ids), "all are under way")
    with Stack(settings) as stack:
        on_record = all_succeed(stack, ids)
        assert submissions(stack, "stopped") <= on_record
