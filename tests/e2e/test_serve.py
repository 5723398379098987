"""`imagegate serve` as a person uses it: start, make a picture, Ctrl-C, start again."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from support.large_photo import edit_with_cli, edit_with_openai

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("serve")]
ROOT = Path(__file__).parents[2]
LONG_HOLD = re.compile(r"Long hold\s+(http://127\.0\.0\.1:\d+)/v1")
BASE = re.compile(r"imagegate\s+(http://127\.0\.0\.1:\d+)")
PATIENCE = 60.0


class Served:
    """A running `imagegate serve` and what it has printed."""

    def __init__(self, *options: str) -> None:
        command = [str(Path(sys.executable).with_name("imagegate")), "serve", *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self.printed = ""
        self.ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                self.ready.set()
        self.ready.set()

    @property
    def url(self) -> str:
        assert self.ready.wait(PATIENCE)
        found = BASE.search(self.printed)
        assert found, self.printed
        return found[1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(*options: str) -> Iterator[Served]:
    served = Served(*options)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.stop()
        assert served.process.stdout
        served.process.stdout.close()


@pytest.mark.slow
def test_pictures_and_operations_outlive_a_stop(tmp_path: Path) -> None:
    options = ("--port", "0", "--state-dir", str(tmp_path), "--latency", "0.2")
    with serving(*options) as served:
        body = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}
        started = requests.post(f"{served.url}/foundationModels/v1/imageGenerationAsync", json=body).json()
        sent = {"prompt": "a dog", "expand": True}
        document = requests.post(f"{served.url}/v1/images/generations", json=sent).json()
        assert document["data"][0]["revised_prompt"].startswith("a dog. ")
        assert "stand-in" in served.printed
        assert "Open: every program on this machine" in served.printed
        assert "flux" in served.printed
        assert requests.get(f"{served.url}/docs").ok
        assert f"{served.url}/docs" in served.printed, "what is clicked first leads somewhere"
        assert served.stop() == 0
        assert "UpstreamSeconds" in (tmp_path / "functions.log").read_text()
        assert "Traceback" not in served.printed
    with serving(*options) as served:
        again = requests.get(f"{served.url}/v1/operations/{document['operation_id']}").json()
        assert again["state"] == "succeeded"
        assert requests.get(f"{served.url}/operations/{started['id']}").json()["response"]["image"]


@pytest.mark.slow
def test_a_photo_of_20_megabytes_is_edited(tmp_path: Path) -> None:
    options = ("--port", "0", "--state-dir", str(tmp_path), "--latency", "0.2", "--keys")
    with serving(*options) as served:
        url, key = served.url, first_key(served)
        assert edit_with_openai(url, key) == "PNG"
        assert edit_with_cli(url, key, tmp_path) == "PNG"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that asks for keys. After its end its first key is in none of its files."""
    state_dir = tmp_path_factory.mktemp("closed")
    with serving("--port", "0", "--state-dir", str(state_dir), "--keys") as served:
        yield served
    contents = [path.read_text(errors="replace") for path in state_dir.rglob("*") if path.is_file()]
    assert contents
    assert first_key(served) not in "".join(contents)


def first_key(served: Served) -> str:
    [key] = re.findall(r"IMAGEGATE_API_KEY=(ig_\w+)", served.printed)
    return str(key)


def test_with_keys_nothing_is_reached_without_one_and_the_first_is_shown(closed: Served) -> None:
    url, header = f"{closed.url}/v1/models", {"Authorization": f"Bearer {first_key(closed)}"}
    assert "keys create --local" in closed.printed
    assert "Open" not in closed.printed.replace("OpenAI", "")
    assert requests.get(url).status_code == 401
    assert requests.get(url, headers=header).status_code == 200
    [long_hold] = LONG_HOLD.findall(closed.printed)
    assert requests.get(f"{long_hold}/v1/models").status_code == 401
    assert requests.get(f"{long_hold}/v1/models", headers=header).status_code == 200


@pytest.mark.parametrize("option", ["--port", "--long-hold-port"])
def test_a_taken_port_is_said_in_a_sentence(closed: Served, tmp_path: Path, option: str) -> None:
    port = closed.url.rpartition(":")[2]
    others = () if option == "--port" else ("--port", "0")
    with serving(*others, option, port, "--state-dir", str(tmp_path)) as second:
        assert second.process.wait(PATIENCE) == 1
        assert second.ready.wait(PATIENCE)
        assert f"port {port} is taken" in second.printed
        assert f"another port with {option}." in second.printed
        assert "Traceback" not in second.printed
