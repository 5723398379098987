"""CPU of a cold start against the bare import of what it needs: `make bench NAME=coldstart [N=11]`.

Every sample is a fresh process; ours and the bare one alternate, so that a noisy machine troubles both alike. Neither
has what is in the environment of the tests, but not in the layer. Ours has botocore as lib/Makefile leaves it.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import botocore

from benchmarks.function_process import AS_IN_THE_LAYER, environment
from trim_botocore import trim

CLIENTS = "import boto3; [boto3.client(name) for name in {names}]"
BARE_API = "import fastapi, mangum; " + CLIENTS.format(names=("dynamodb", "stepfunctions"))
BARE_TASK = "import httpx; httpx.Client(); " + CLIENTS.format(names=("dynamodb", "s3"))
CASES = {
    "api": (BARE_API, 1.0),
    "wait": (BARE_API, 0.6),
    "submit": (BARE_TASK, 0.95),
    "poll": (BARE_TASK, 0.95),
    "publish": (CLIENTS.format(names=("events",)), 1.05),
}
"""Function -> the bare import that it is compared with, and the ratio that is wanted."""
CPU = "\nimport time; print(time.process_time() * 1000)"


def sample(code: str, **more: str) -> float:
    """CPU milliseconds of a process that runs `code`, with `more` environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", AS_IN_THE_LAYER + code + CPU],
        env=environment(**more),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure every function that has a target."""
    with tempfile.TemporaryDirectory() as folder:
        package = shutil.copytree(Path(botocore.__file__).parent, Path(folder) / "botocore")
        trim(package / "data")
        measure(folder)


def measure(layer: str) -> None:
    """Print the figures; `layer`: the folder of packages that ours finds first."""
    first = {"PYTHONPATH": f"{layer}:{environment()['PYTHONPATH']}"}
    n = int(os.environ.get("N", "11"))
    figures = {}
    print(f"CPU of a cold start, median of {n} fresh processes each")
    print("  function       ours   bare import   ratio  target")
    for name, (bare, target) in CASES.items():
        for code in (bare, f"import {name}"):
            sample(code, **first)  # bytecode is written now, not in a sample
            sample(code)
        pairs = [(sample(f"import {name}", **first), sample(bare)) for _ in range(n)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        figures[name] = {
            "ours_ms": round(ours, 1),
            "bare_ms": round(theirs, 1),
            "ratio": round(ours / theirs, 3),
            "target": target,
        }
        print(f"  {name:10} {ours:7.0f} ms {theirs:10.0f} ms {ours / theirs:7.2f} {target:7.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
