"""Lambda workers that are forks of one process."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from imagegate.local.ministack.forked_workers import ForkedProcess, ForkServer

PATIENCE = 60.0
REPORT = """
import json, os, sys
files = []
for number in range(3, 64):
    try:
        os.fstat(number)
        files.append(number)
    except OSError:
        pass
own = [name for name in sys.modules if name.partition(".")[0] in ("imagegate", "ministack")]
print(json.dumps({"line": sys.stdin.readline(), "cwd": os.getcwd(), "env": dict(os.environ), "own": own,
                  "files": files, "loaded": "fastapi" in sys.modules, "name": __name__}), flush=True)
print("a word", file=sys.stderr)
sys.exit(int(sys.stdin.readline()))
"""


class Starts:
    """Starts workers, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.server, self.folder, self.processes = ForkServer(), folder, list[ForkedProcess]()

    def worker(self, script: str = REPORT, **env: str) -> ForkedProcess:
        file = self.folder / "_worker.py"
        file.write_text(script)
        self.processes.append(ForkedProcess(self.server, str(file), str(self.folder), env))
        return self.processes[-1]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(PATIENCE)
            for stream in (process.stdout, process.stderr, process.stdin):
                with suppress(BrokenPipeError):
                    stream.close()
        self.server.close()


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Starts]:
    made = Starts(tmp_path)
    yield made
    made.end()


def test_a_worker_has_its_own_environment_folder_and_streams_and_nothing_of_ours(starts: Starts) -> None:
    worker = starts.worker(GREETING="hello")
    worker.stdin.write("a line\n")
    told = json.loads(worker.stdout.readline())
    assert (told["line"], told["cwd"]) == ("a line\n", str(starts.folder))
    assert (told["env"], told["name"]) == ({"GREETING": "hello"}, "__main__")
    assert (told["own"], told["files"], told["loaded"]) == ([], [], True)
    assert worker.stderr.readline() == "a word\n"
    assert worker.poll() is None
    worker.stdin.write("7\n")
    assert worker.wait(PATIENCE) == 7
    assert (worker.poll(), worker.returncode) == (7, 7)


def test_workers_end_each_for_itself(starts: Starts) -> None:
    first, second = starts.worker(), starts.worker()
    first.terminate()
    assert first.wait(PATIENCE) == -signal.SIGTERM
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.01)
    second.kill()
    assert second.wait(PATIENCE) == -signal.SIGKILL
    second.send_signal(signal.SIGTERM)


def test_an_exception_is_told_and_ends_the_worker(starts: Starts) -> None:
    worker = starts.worker("raise ValueError('no such thing')")
    assert worker.wait(PATIENCE) == 1
    assert "ValueError: no such thing" in worker.stderr.read()


def test_a_fork_server_that_dies_is_started_again_and_its_workers_count_as_killed(starts: Starts) -> None:
    first = starts.worker("import os; print(os.getppid(), flush=True); input()")
    os.kill(int(first.stdout.readline()), signal.SIGKILL)
    assert first.wait(PATIENCE) == -signal.SIGKILL
    second = starts.worker("import sys; sys.exit(3)")
    assert second.wait(PATIENCE) == 3


def test_the_fork_server_ends_when_the_other_side_does(starts: Starts) -> None:
    worker = starts.worker("import os; print(os.getppid(), flush=True)")
    server = int(worker.stdout.readline())
    assert worker.wait(PATIENCE) == 0
    starts.server.close()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
