"""A burst of clients at a cold embedded stack: `make bench NAME=burst [N=32] [ROUNDS=3] [OTHER=<another checkout>]`.

Each round starts `imagegate serve` on a new state folder and sends N different requests at once as soon as it says
that it runs, so that nearly every function starts cold. With OTHER, that checkout is served by its own code in turns
with this one, on the packages of this environment, and the last line has the ratio of each pair of rounds. A client
whose request fails sends it again, as SDKs do: what is measured is the time up to its picture; errors are counted.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from imagegate.local.ports import listen

ROOT = Path(__file__).parents[2]
SERVE = "from imagegate.cli.main import app; app()"
PATIENCE = 300.0
"""Seconds for each client."""


@contextmanager
def served(checkout: Path) -> Iterator[str]:
    """A stack of that checkout that no request has reached; gives its URL."""
    with listen(0) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        options = ["--port", str(port), "--state-dir", state, "--latency", "0"]
        process = subprocess.Popen(
            [sys.executable, "-P", "-u", "-c", SERVE, "serve", *options],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": str(checkout / "lib"), "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        try:
            # The port is open before the stack is there; its address is printed once it is.
            while f"127.0.0.1:{port}/" not in (line := process.stdout.readline()):
                assert line, f"{checkout} is not served"
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def picture(url: str, number: int) -> tuple[list[int], float]:
    """One client's request and the redirects that it follows, sent again until it has its picture.

    Returns:
        The status of each answer, 0 for none, and the seconds up to the picture.
    """
    began, statuses = time.monotonic(), list[int]()
    body = {"model": "flux", "prompt": f"a cat, number {number}", "provider": "black-forest-labs"}
    headers = {"user-agent": "python-requests/2.32"}
    with httpx.Client(timeout=PATIENCE, follow_redirects=True, max_redirects=30, headers=headers) as client:
        while statuses[-1:] != [200] and time.monotonic() < began + PATIENCE:
            time.sleep(min(len(statuses), 4))  # as SDKs do, whose pauses double
            try:
                statuses.append(client.post(f"{url}/v1/images/generations", json=body).status_code)
            except httpx.HTTPError:
                statuses.append(0)
    return statuses, time.monotonic() - began


def burst(checkout: Path, n: int) -> dict[str, float]:
    """One round: half and nearly all of the clients have their picture after so many seconds."""
    with served(checkout) as url, ThreadPoolExecutor(n) as pool:
        answers = list(pool.map(lambda number: picture(url, number), range(n)))
    seconds = sorted(took for _, took in answers)
    statuses = Counter(status for each, _ in answers for status in each)
    print(f"    statuses {dict(statuses)}")
    last = seconds[min(n - 1, round(0.99 * n) - 1)]
    return {"p50": statistics.median(seconds), "p99": last, "errors": statuses.total() - statuses[200]}


def main() -> None:
    """Rounds in turns, then the last line."""
    n, rounds, other = int(os.environ.get("N", "32")), int(os.environ.get("ROUNDS", "3")), os.environ.get("OTHER")
    checkouts = {"this": ROOT} | ({"other": Path(other).resolve()} if other else {})
    found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    print(f"{n} clients at once at a cold stack, {rounds} rounds, seconds")
    for _ in range(rounds):
        for name, checkout in checkouts.items():
            found[name].append(burst(checkout, n))
            print(f"  {name:6} " + "  ".join(f"{what} {value:6.1f}" for what, value in found[name][-1].items()))
    figures: dict[str, Any] = {"n": n}
    for name, several in found.items():
        figures[name] = {what: round(statistics.median(each[what] for each in several), 2) for what in ("p50", "p99")}
        figures[name]["errors"] = sum(each["errors"] for each in several)
    if other:
        pairs = zip(found["this"], found["other"], strict=True)
        figures["p99_ratio"] = round(statistics.median(ours["p99"] / theirs["p99"] for ours, theirs in pairs), 3)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
