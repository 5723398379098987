"""CPU of a cold start against the bare import of what it needs: `make bench NAME=coldstart [N=11]`.

Every sample is a fresh process; ours and the bare one alternate, so that a noisy machine troubles both alike. Ours has
botocore's data as the layer has them, trimmed; the bare one has the whole.
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
CASES = {"api": BARE_API, "submit": BARE_TASK, "poll": BARE_TASK, "publish": CLIENTS.format(names=("events",))}
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
        data = shutil.copytree(Path(botocore.__file__).parent / "data", Path(folder) / "data")
        trim(data)
        measure(str(data))


def measure(data: str) -> None:
    """Print the figures; `data`: the folder of botocore's data for ours."""
    n = int(os.environ.get("N", "11"))
    figures = {}
    print(f"CPU of a cold start, median of {n} fresh processes each")
    print("  function       ours   bare import   ratio (target 1.15)")
    for name, bare in CASES.items():
        for code in (bare, f"import {name}"):
            sample(code)  # bytecode is written now, not in a sample
        pairs = [(sample(f"import {name}", AWS_DATA_PATH=data), sample(bare)) for _ in range(n)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        figures[name] = {"ours_ms": round(ours, 1), "bare_ms": round(theirs, 1), "ratio": round(ours / theirs, 3)}
        print(f"  {name:10} {ours:7.0f} ms {theirs:10.0f} ms {ours / theirs:7.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
