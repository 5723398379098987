"""CPU that other gateways take for a request, where they are installed in environments of their own.

    uv venv .venvs/litellm-proxy && uv pip install --python .venvs/litellm-proxy/bin/python 'litellm[proxy]'
    uv venv .venvs/g4f && uv pip install --python .venvs/g4f/bin/python 'g4f[api]'

Each is one process of its own server in front of a stub of the upstream, and answers with the picture's URL. It is
asked over four connections. It keeps nothing, and its figure holds its HTTP server, which a function has outside.
"""

import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.function_process import ROOT
from imagegate.local.ports import listen, port_of

BODY = {"model": "flux", "prompt": "a red fox in the snow", "size": "1024x768"}
PATHS = {"litellm": "/v1/images/generations", "g4f": "/api/Custom/images/generations"}
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-of-a-benchmark"}
CONNECTIONS = 4
WARM_UP = 40
_LITELLM = {
    "model_list": [{"model_name": "flux", "litellm_params": {"model": "openai/flux", "api_key": "x", "api_base": ""}}]
}


def installed() -> dict[str, Path]:
    """The interpreters of the gateways that are there, by name."""
    known = {"litellm": ROOT / ".venvs" / "litellm-proxy", "g4f": ROOT / ".venvs" / "g4f"}
    return {name: folder / "bin" / "python" for name, folder in known.items() if folder.is_dir()}


def cpu_ms(name: str, python: Path, upstream: str, n: int) -> float:
    """CPU milliseconds of the gateway for one of `n` requests."""
    with tempfile.TemporaryDirectory() as folder, _served(name, python, upstream, Path(folder)) as (pid, port):
        _ask(name, port, WARM_UP)
        began = _spent(pid)
        _ask(name, port, n)
        return (_spent(pid) - began) / n * 1000


@contextmanager
def _served(name: str, python: Path, upstream: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Process id and port of the running gateway."""
    with listen(0) as taken:
        port = port_of(taken)
    command = _command(name, python, upstream, port, folder)
    # Neither may ask another host at its start, and neither checks a key, like the function that it is compared with.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_until_it_answers(name, process, port, folder / "log")
        yield process.pid, port
    finally:
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _command(name: str, python: Path, upstream: str, port: int, folder: Path) -> Sequence[str]:
    if name == "g4f":
        return [str(python), "-P", str(Path(__file__).with_name("peer_g4f.py")), str(port), f"{upstream}/v1"]
    config = json.loads(json.dumps(_LITELLM))
    config["model_list"][0]["litellm_params"]["api_base"] = f"{upstream}/v1"
    (folder / "config.yaml").write_text(json.dumps(config))
    options = ["--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    return [str(python.with_name("litellm")), *options, "--telemetry", "False"]


def _wait_until_it_answers(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 300
    while True:
        try:
            _ask(name, port, 1)
        except (OSError, http.client.HTTPException):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.2)
        else:
            return


def _ask(name: str, port: int, n: int) -> None:
    """Have `n` pictures made, over some connections at once. Raises AssertionError for an answer without one."""

    def over_one(count: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(count):
            connection.request("POST", PATHS[name], json.dumps(BODY), HEADERS)
            answer = connection.getresponse()
            document = json.loads(answer.read())
            assert answer.status == 200, document
            assert document["data"][0]["url"].startswith("http"), document
        connection.close()

    shares = [n // CONNECTIONS + (at < n % CONNECTIONS) for at in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(over_one, shares))


def _spent(pid: int) -> float:
    """Seconds of CPU of the process group, user and system."""
    total, ticks = 0, os.sysconf("SC_CLK_TCK")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / ticks
