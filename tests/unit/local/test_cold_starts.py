"""Slots in which Lambda workers start."""

import threading
import time
from collections.abc import Callable

import pytest

from imagegate.local.ministack.cold_starts import ColdStarts

PATIENCE = 10.0


def crowd(starts: ColdStarts, count: int, urgent: Callable[[int], bool]) -> tuple[list[int], int]:
    """Let so many ask for a slot while all are taken, one after the other; who got one in which order, and how many at
    most held one at once."""
    upstream_request: list[int] = []
    held, most, lock, opened = 0, 0, threading.Lock(), threading.Event()

    def start(number: int) -> None:
        nonlocal held, most
        with starts.slot(urgent(number)):
            with lock:
                held += 1
                most = max(most, held)
                upstream_request.append(number)
            opened.wait(PATIENCE)
            with lock:
                held -= 1

    threads = [threading.Thread(target=start, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        sent = len(upstream_request) + len(starts._waiting) + 1
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while len(upstream_request) + len(starts._waiting) < sent:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    opened.set()
    for thread in threads:
        thread.join(PATIENCE)
    return upstream_request, most


@pytest.mark.parametrize("slots", [1, 2])
def test_no_more_start_at_once_than_there_are_slots(slots: int) -> None:
    upstream_request, most = crowd(ColdStarts(slots), 6, lambda _: True)
    assert (sorted(upstream_request), most) == (list(range(6)), slots)


def test_those_that_a_client_waits_for_start_first_and_in_order() -> None:
    upstream_request, _ = crowd(ColdStarts(1), 7, lambda number: number % 2 == 0)
    assert upstream_request == [0, 2, 4, 6, 1, 3, 5]


def test_a_start_that_fails_gives_its_slot_back() -> None:
    starts = ColdStarts(1)
    for _ in range(3):
        with pytest.raises(RuntimeError), starts.slot(True):
            raise RuntimeError
    with starts.slot(False):
        pass
