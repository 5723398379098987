"""The stand-ins, and vendors' clients in processes of their own. Opt-in: `make test-vendors` installs the clients."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagegate.local.upstreams.app import build_app
from imagegate.local.upstreams.serving import serving
from vendors.cases import Client, Outcome

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venvs" / "vendors" / "bin" / "python"
DEADLINE = 90
"""Seconds a client may take, its own tries included."""
LOOPBACK = "127.0.0.1,localhost"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below is left out unless asked for."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.vendors)


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[str]:
    """Base URL of all stand-ins."""
    with serving(build_app(latency_seconds=0.1, heartbeat_seconds=0.5)) as url:
        yield url


@pytest.fixture(scope="session")
def client(stand_ins: str) -> Client:
    """Runs a script of `python/` or `node/` against the stand-in at a path."""
    return client_of(stand_ins)


def client_of(stand_ins: str) -> Client:
    """The client of the stand-ins below that URL."""

    def run(script: str, base_path: str, variables: dict[str, str] | None = None, **asked: Any) -> Outcome:
        """`variables` are for the process's environment; `{base_url}` in one is filled in."""
        base_url = f"{stand_ins}{base_path}"
        given = {name: value.format(base_url=base_url) for name, value in (variables or {}).items()}
        argument = json.dumps({"base_url": base_url, **asked})
        environment = {**os.environ, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, **given}
        done = subprocess.run(
            [*command(script), argument], capture_output=True, text=True, timeout=DEADLINE, env=environment
        )
        assert done.returncode == 0, done.stderr
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))

    return run


def command(script: str) -> list[str]:
    """How to run it. Fails where the clients are not installed."""
    if script.endswith(".mjs"):
        program, installed = "node", HERE / "node" / "node_modules" / ".installed"
    else:
        program, installed = str(PYTHON), PYTHON
    if not installed.exists():
        pytest.fail(f"{installed} is missing; run tests/clients/setup.sh vendors", pytrace=False)
    return [program, str(HERE / ("node" if script.endswith(".mjs") else "python") / script)]
