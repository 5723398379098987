"""Slots in which Lambda workers start."""

import gc
import io
import signal
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from ministack.core import lambda_runtime

from imagegate.local.ministack import cold_starts
from imagegate.local.ministack.cold_starts import ColdStarts

PATIENCE = 10.0
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


def crowd(starts: ColdStarts, count: int, urgent: Callable[[int], bool]) -> tuple[list[int], int]:
    """Let so many ask for a slot while all are taken, one after the other; who got one in which order, and how many at
    most held one at once."""
    started: list[int] = []
    held, most, lock, opened = 0, 0, threading.Lock(), threading.Event()

    def start(number: int) -> None:
        nonlocal held, most
        with starts.slot(urgent(number)):
            with lock:
                held += 1
                most = max(most, held)
                started.append(number)
            opened.wait(PATIENCE)
            with lock:
                held -= 1

    threads = [threading.Thread(target=start, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        sent = len(started) + len(starts._waiting) + 1
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while len(started) + len(starts._waiting) < sent:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    opened.set()
    for thread in threads:
        thread.join(PATIENCE)
    return started, most


@pytest.mark.parametrize("slots", [1, 2])
def test_no_more_start_at_once_than_there_are_slots(slots: int) -> None:
    started, most = crowd(ColdStarts(slots), 6, lambda _: True)
    assert (sorted(started), most) == (list(range(6)), slots)


def test_those_that_a_client_waits_for_start_first_and_in_order() -> None:
    started, _ = crowd(ColdStarts(1), 7, lambda number: number % 2 == 0)
    assert started == [0, 2, 4, 6, 1, 3, 5]


def test_a_start_that_fails_gives_its_slot_back() -> None:
    starts = ColdStarts(1)
    for _ in range(3):
        with pytest.raises(RuntimeError), starts.slot(True):
            raise RuntimeError
    with starts.slot(False):
        pass


DYING = """
import os
with open({marks!r}, "a") as file:
    file.write("started ")
if len(open({marks!r}).read().split()) <= {deaths}:
    os.kill(os.getpid(), {signum})
def handler(event, context):
    return event
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # MiniStack leaves its pipes open
@pytest.mark.parametrize(("deaths", "starts"), [(0, 1), (1, 2), (9, 2)])
def test_a_worker_that_is_killed_while_it_starts_is_started_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, deaths: int, starts: int
) -> None:
    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", lambda_runtime.Worker._spawn)
    monkeypatch.setattr(lambda_runtime.Worker, "invoke", lambda_runtime.Worker.invoke)
    cold_starts.mend()
    code, marks = io.BytesIO(), tmp_path / "marks"
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", DYING.format(marks=str(marks), deaths=deaths, signum=int(signal.SIGKILL)))
    config = {"Runtime": "python3.13", "Handler": "main.handler", "FunctionName": "f", "FunctionArn": FUNCTION_ARN}
    worker = lambda_runtime.Worker("f", config, code.getvalue())
    expected = nullcontext() if deaths < starts else pytest.raises(RuntimeError, match="exited immediately")
    try:
        with expected:
            assert worker.invoke({"rawPath": "/"}, "id")["status"] == "ok"
    finally:
        worker.kill()
        del worker
        gc.collect()
    assert marks.read_text().split() == ["started"] * starts
