"""A full disk under the state folder is told in words: at the start, and to those who send work meanwhile.

tests/e2e/test_full_disk.py does it with `imagegate serve` on a small file system.
"""

import asyncio
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from imagegate.local.front_door import FrontDoor
from imagegate.local.stack.stack import Stack, StackError
from imagegate.local.state_folder import TO_ACCEPT, TO_START, StateFolder
from support.stack_settings import on_free_ports


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The free bytes of every disk; a test sets them."""
    disk = SimpleNamespace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    return disk


def answered(door: FrontDoor, method: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and document that a request gets; what is behind the door answers 200."""
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "scheme": "http", "method": method, "path": "/v1/operations", "query_string": b""}
    scope |= {"headers": [(b"host", b"127.0.0.1:1337")], "client": ("127.0.0.1", 2), "server": ("127.0.0.1", 1337)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        behind = httpx.MockTransport(lambda request: httpx.Response(200, stream=httpx.ByteStream(b"{}")))
        async with httpx.AsyncClient(transport=behind) as door._client:
            await door(scope, receive, send)

    door.open("http://127.0.0.1:1", "api", "the token")
    asyncio.run(run())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


def test_it_does_not_start(free: SimpleNamespace, tmp_path: Path) -> None:
    free.free = TO_START - 1
    state = tmp_path / "state"
    with pytest.raises(StackError, match=r"The disk of .* is full: 63 MB are free, and 64 MB are needed.*--state-dir"):
        Stack(on_free_ports(state)).start()
    assert not state.exists()


@pytest.mark.parametrize("door", ["_door", "_long_hold_door"])
def test_no_request_is_held_for_nothing(free: SimpleNamespace, tmp_path: Path, door: str) -> None:
    entrance: FrontDoor = getattr(Stack(on_free_ports(tmp_path)), door)
    free.free = TO_ACCEPT - 1
    status, headers, document = answered(entrance, "POST")
    assert (status, headers["retry-after"]) == (503, "30")
    assert document["message"].startswith(f"The disk of {tmp_path} is full")
    assert answered(entrance, "GET")[0] == 200, "what is there can be read"
    free.free = TO_ACCEPT
    assert answered(entrance, "POST")[0] == 200


def test_neither_while_no_further_file_has_room(
    free: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free.free = TO_ACCEPT
    folder = StateFolder(tmp_path)
    assert folder.shortage(TO_ACCEPT) is None
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_files=100_000, f_favail=10))
    assert "takes no more files" in str(folder.shortage(TO_ACCEPT))
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_files=0, f_favail=0))
    assert folder.shortage(TO_ACCEPT) is None, "btrfs counts none"


def test_a_folder_that_is_not_there_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    assert StateFolder(tmp_path / "not" / "yet").shortage(0) is None
