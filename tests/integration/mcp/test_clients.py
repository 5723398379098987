"""The official clients of both generations, over HTTP and over stdio. Opt-in: `make test-mcp`."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.dialects.mcp.tools import TOOLS
from integration.mcp.conftest import Endpoint

pytestmark = [pytest.mark.mcp, pytest.mark.integration, pytest.mark.xdist_group("mcp"), pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / "tests" / "clients" / "mcp"
AT_ONCE = 3
PATIENCE = 300.0
"""Seconds for a session, on a machine that starts many functions at once."""
VERSIONS = {"mcp1": "2025-11-25", "mcp2": "2026-07-28", "node": "2025-11-25"}
"""The protocol's newest version that each client speaks."""
ROADS = ("http", "stdio")
RUNS = [(client, road) for client in VERSIONS for road in ROADS]


def command(client: str) -> list[str]:
    """What runs a client's session."""
    if client == "node":
        return ["node", str(CLIENTS / "node" / "session.mjs")]
    return [str(ROOT / ".venvs" / client / "bin" / "python"), "-I", str(CLIENTS / client / "session.py")]


def asked(endpoint: Endpoint, client: str, road: str) -> dict[str, Any]:
    """What the session is told: where the server is, or which command is one."""
    prompt = f"a fox for {client} over {road}"
    if road == "http":
        return {"prompt": prompt, "url": endpoint.url, "key": endpoint.key}
    imagegate = str(Path(sys.executable).with_name("imagegate"))
    environment = {"IMAGEGATE_URL": endpoint.base_url, "IMAGEGATE_API_KEY": endpoint.key}
    return {"prompt": prompt, "command": [imagegate, "mcp"], "environment": environment}


def run(endpoint: Endpoint, client: str, road: str) -> dict[str, Any]:
    text = json.dumps(asked(endpoint, client, road))
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(
        [*command(client), text], capture_output=True, check=False, text=True, timeout=PATIENCE, env=environment
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def warm(endpoint: Endpoint) -> None:
    """Start the functions that the sessions need, again until all have answered in time."""

    def generate(_: int) -> None:
        call = {"name": "generate_image", "arguments": {"prompt": "warm hands"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        headers = {"authorization": f"Bearer {endpoint.key}"}
        deadline = time.monotonic() + PATIENCE
        while requests.post(endpoint.url, json=message, headers=headers, timeout=60).status_code == 503:
            assert time.monotonic() < deadline, f"not warm within {PATIENCE} s"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(generate, range(AT_ONCE)))


Sessions = Mapping[tuple[str, str], Future[dict[str, Any]]]


@pytest.fixture(scope="module")
def sessions(endpoint: Endpoint) -> Iterator[Sessions]:
    """Three sessions at once: more would start more functions together than API Gateway's 30 s leave two cores."""
    warm(endpoint)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {each: pool.submit(run, endpoint, *each) for each in RUNS}


@pytest.mark.parametrize(("client", "road"), RUNS)
def test_a_client_lists_makes_waits_edits_cancels_and_reads(
    sessions: Sessions, endpoint: Endpoint, client: str, road: str
) -> None:
    found = sessions[client, road].result(PATIENCE)
    version = None if (client, road) == ("node", "stdio") else VERSIONS[client]  # there it does not say
    assert (found["version"], found["server"]) == (version, "imagegate")
    assert found["tools"] == [*TOOLS]
    assert found["made"]["kinds"] == ["text", "image", "resource_link"]
    assert (found["made"]["state"], found["edited"]["state"]) == ("succeeded", "succeeded")
    [image] = found["made"]["images"]
    link = requests.get(image["url"], timeout=30)
    assert link.headers["content-type"] == image["mime_type"] == found["read"]["type"]
    assert hashlib.sha256(link.content).hexdigest() == found["read"]["sha256"], "the link and the resource are one"
    assert found["read"]["uri"] in found["listed"]
    assert len(found["templates"]) == 3
    assert found["waited"] == [False, True]
    assert found["cancelled"] == "cancelled"
    assert found["wrong"][0]
    assert "'n'" in found["wrong"][1]
    assert found["models"] > 1
    assert found.get("unknown_tool") == -32602


def test_every_session_had_its_own_operations(sessions: Sessions, endpoint: Endpoint) -> None:
    made = {session.result(PATIENCE)["made"]["operation_id"] for session in sessions.values()}
    assert len(made) == len(RUNS)
    foreign = requests.post(
        endpoint.url,
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={"authorization": "Bearer ig_none"},
        timeout=30,
    )
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (401, 401)
