"""The same Space four times: stand-ins for Gradio 4 and 6, and the real servers when they are asked for.

`gradio_server` is the base URL of a running Space, and every test that uses it runs on all of them.
The real ones need `tests/contract/real_gradio/setup.sh` and run with `pytest -m real_gradio`.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from imagegate.local.upstreams.app import BASE_PATHS, build_app
from imagegate.local.upstreams.serving import serving

HERE = Path(__file__).parent
VENVS = HERE.parents[2] / ".venvs"
PATIENCE = 90.0
"""Seconds a real Gradio may take to start on a busy machine; 3 to 6 are usual."""

SPACES = {4: "voodoohop", 6: "black-forest-labs"}


def real(kind: str) -> object:
    """A parameter for a real server: opt-in, and in one worker only, so that it is started once."""
    return pytest.param(kind, marks=[pytest.mark.real_gradio, pytest.mark.xdist_group(kind)])


KINDS = ["stand-in-4", "stand-in-6", real("real-4"), real("real-6")]


@pytest.fixture(scope="session", params=KINDS)
def gradio_kind(request: pytest.FixtureRequest) -> str:
    """Which of the four servers a test runs on."""
    return request.param


@pytest.fixture(scope="session")
def gradio_generation(gradio_kind: str) -> Literal[4, 6]:
    """The major version of Gradio that is served or imitated."""
    return 4 if gradio_kind.endswith("4") else 6


@pytest.fixture(scope="session")
def gradio_server(
    gradio_kind: str, gradio_generation: Literal[4, 6], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Base URL of a running Space, without a final slash."""
    server = (
        stand_in(gradio_generation)
        if gradio_kind.startswith("stand-in")
        else real_server(gradio_generation, tmp_path_factory.mktemp(gradio_kind))
    )
    with server as url:
        yield url


@contextmanager
def stand_in(generation: Literal[4, 6]) -> Iterator[str]:
    """The stand-in of a generation, with quick heartbeats."""
    with serving(build_app(latency_seconds=0.05, heartbeat_seconds=0.1)) as url:
        yield url + BASE_PATHS[SPACES[generation]]


@contextmanager
def real_server(generation: Literal[4, 6], folder: Path) -> Iterator[str]:
    """A real Gradio server in a process of its own, with everything it writes below `folder`."""
    python = VENVS / f"gradio{generation}" / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{python} is missing; run tests/contract/real_gradio/setup.sh", pytrace=False)
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "files"), "HOME": str(folder), "PORT": ""}
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen([python, HERE / "serve.py"], stdout=out, stderr=err, cwd=folder, env=environment)
        try:
            yield announced_url(folder, process)
        finally:
            process.terminate()
            process.wait(10)


def announced_url(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """The URL the server printed, as soon as it did."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if (text := (folder / "out").read_text()).endswith("}\n"):
            return json.loads(text.splitlines()[-1])["url"]
        time.sleep(0.05)
    pytest.fail(f"Gradio did not start:\n{(folder / 'err').read_text()}", pytrace=False)
