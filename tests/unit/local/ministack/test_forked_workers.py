"""Lambda workers that are forks of one process."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from imagegate.local.ministack.forked_process import ForkedProcess
from imagegate.local.ministack.forked_workers import ForkServer, Function

pytestmark = pytest.mark.slow

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

    def worker(self, script: str = REPORT, function: Function | None = None, **env: str) -> ForkedProcess:
        folder = self.folder / f"worker{len(self.processes)}"
        folder.mkdir()
        (folder / "_worker.py").write_text(script)
        start = {"script": str(folder / "_worker.py"), "cwd": str(folder), "env": env}
        self.processes.append(ForkedProcess(lambda streams: self.server.fork_worker(function, streams, start)))
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
    assert (told["line"], told["cwd"]) == ("a line\n", str(starts.folder / "worker0"))
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


MODULE = """
import os
with open({marks!r}, "a") as marks:
    marks.write("loaded ")
WHERE = os.environ["WHERE"]
"""
USES = "import main, os; print(main.WHERE, os.environ['WHERE'], flush=True)"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer whose module notes that it is loaded."""
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer/main.py").write_text(MODULE.format(marks=str(tmp_path / "marks")))
    return tmp_path / "layer"


def function(layer: Path, code: str = "one", module: str = "main") -> Function:
    return Function(module=module, code=code, layers=(str(layer),), env=())


def uses(starts: Starts, function: Function, where: str, script: str = USES) -> tuple[int, str]:
    """A worker of the function in a folder of its own, which is removed: its exit status and what it printed."""
    worker = starts.worker(f"import sys; sys.path.append({function.layers[0]!r}); {script}", function, WHERE=where)
    ended = worker.wait(PATIENCE)
    shutil.rmtree(starts.folder / f"worker{len(starts.processes) - 1}")
    return ended, worker.stdout.read() or worker.stderr.read()


def test_a_function_is_loaded_once_for_all_its_workers(starts: Starts, layer: Path) -> None:
    told = [uses(starts, function(layer), where) for where in ("here", "there", "elsewhere")]
    assert told == [(0, "here here\n"), (0, "here there\n"), (0, "here elsewhere\n")]
    assert (starts.folder / "marks").read_text() == "loaded "


def test_another_code_is_loaded_again(starts: Starts, layer: Path) -> None:
    told = [uses(starts, function(layer, code), code) for code in ("one", "two", "two")]
    assert told == [(0, "one one\n"), (0, "two two\n"), (0, "two two\n")]
    assert (starts.folder / "marks").read_text() == "loaded loaded "


def test_a_worker_goes_on_when_its_function_has_another_code(starts: Starts, layer: Path) -> None:
    earlier = starts.worker("import sys; sys.exit(int(sys.stdin.readline()))", function(layer, "one"))
    assert uses(starts, function(layer, "two"), "here")[0] == 0
    assert earlier.poll() is None
    earlier.stdin.write("7\n")
    assert earlier.wait(PATIENCE) == 7


def test_a_function_that_cannot_be_loaded_is_tried_by_its_worker_which_says_why(starts: Starts, layer: Path) -> None:
    (layer / "main.py").write_text("raise ValueError('not like this')")
    status, told = uses(starts, function(layer), "here")
    assert (status, "ValueError: not like this" in told) == (1, True)
    (layer / "main.py").write_text("WHERE = 'mended'")
    assert uses(starts, function(layer), "here") == (0, "mended here\n")


def test_a_template_that_dies_is_made_again(starts: Starts, layer: Path) -> None:
    _, template = uses(starts, function(layer), "here", "import main, os; print(os.getppid())")
    os.kill(int(template), signal.SIGKILL)
    assert [uses(starts, function(layer), "there")[0] for _ in range(2)] == [0, 0]


def test_a_function_is_what_its_workers_have_in_common(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "python").symlink_to(tmp_path)
    worker = SimpleNamespace(config={"Handler": "a/main.handler"}, code_zip=b"code")
    of_one = {"LAMBDA_TASK_ROOT": "/x", "AWS_LAMBDA_LOG_STREAM_NAME": "y"}
    first, second = (
        Function.of(worker, {"A": "1", "_LAMBDA_LAYERS_DIRS": str(tmp_path / folder), **more})
        for folder, more in (("first", {}), ("second", of_one))
    )
    assert (
        first
        == second
        == Function(
            module="a.main", code=hashlib.sha256(b"code").hexdigest(), layers=(str(tmp_path),), env=(("A", "1"),)
        )
    )
    assert Function.of(worker, {"A": "2"}) != Function.of(worker, {"A": "1"})


def test_the_fork_server_ends_when_the_other_side_does(starts: Starts) -> None:
    worker = starts.worker("import os; print(os.getppid(), flush=True)")
    server = int(worker.stdout.readline())
    assert worker.wait(PATIENCE) == 0
    starts.server.close()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
