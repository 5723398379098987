"""Gradio servers that are shaped like FLUX.1-schnell's Space: stand-ins, and real ones."""

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

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".venvs"
PATIENCE = 90.0
"""Seconds a real Gradio may take to start on a busy machine; 3 to 6 are usual."""

SPACES = {4: "voodoohop", 6: "black-forest-labs"}


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
        process = subprocess.Popen(
            [python, ROOT / "tests/contract/real_gradio/serve.py"], stdout=out, stderr=err, cwd=folder, env=environment
        )
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
