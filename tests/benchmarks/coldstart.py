"""CPU of a cold start against the bare import of what it needs: `make bench NAME=coldstart [N=11]`.

Both run on the CPython of Lambda (3.13), without site-packages: ours on the layer as `sam build` makes it, but for this
machine's processor; the bare one on the same packages with their bytecode, where botocore has the data of all services.
Every sample is a fresh process; ours and the bare one alternate, so that a noisy machine troubles both alike.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.function_process import ROOT, environment

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


@dataclass(frozen=True)
class Layer:
    """A folder of packages, and the interpreter that runs them."""

    python: str
    packages: Path

    def sample(self, code: str) -> float:
        """CPU milliseconds of a process that runs `code`."""
        done = subprocess.run(
            [self.python, "-S", "-P", "-c", code + CPU],
            env=environment(PYTHONPATH=f"{self.packages}:{ROOT / 'functions'}"),
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout.splitlines()[-1])


def build(folder: Path) -> tuple[Layer, Layer]:
    """The layer, and the same with all of botocore's data and without imagegate."""
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(*command: str) -> str:
        return subprocess.run(command, env=tools, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout

    wheels = f"PLATFORM={platform.machine()}-manylinux_2_28"
    run("make", "--silent", "-C", "lib", "build-Layer", f"ARTIFACTS_DIR={folder / 'built'}", wheels)
    python = run("make", "--silent", "--no-print-directory", "-C", "lib", "interpreter").strip()
    layer, bare = folder / "built" / "python", folder / "bare"
    shutil.copytree(layer, bare, ignore=shutil.ignore_patterns("imagegate"))
    [version] = [entry.name.split("-")[1].removesuffix(".dist") for entry in layer.glob("botocore-*.dist-info")]
    run("uv", "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "whole"), f"botocore=={version}")
    shutil.rmtree(bare / "botocore" / "data")
    shutil.copytree(folder / "whole" / "botocore" / "data", bare / "botocore" / "data")
    return Layer(python, layer), Layer(python, bare)


def measure(ours: Layer, bare: Layer) -> None:
    """Print the figures."""
    n = int(os.environ.get("N", "11"))
    figures = {}
    print(f"CPU of a cold start, median of {n} fresh processes each")
    print("  function       ours   bare import   ratio  target")
    for name, (floor, target) in CASES.items():
        ours.sample(f"import {name}")  # the function's own bytecode is written now, not in a sample
        pairs = [(ours.sample(f"import {name}"), bare.sample(floor)) for _ in range(n)]
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        figures[name] = {
            "ours_ms": round(mine, 1),
            "bare_ms": round(theirs, 1),
            "ratio": round(mine / theirs, 3),
            "target": target,
        }
        print(f"  {name:10} {mine:7.0f} ms {theirs:10.0f} ms {mine / theirs:7.2f} {target:7.2f}")
    print(json.dumps(figures))


def main() -> None:
    """Measure every function that has a target."""
    with tempfile.TemporaryDirectory() as folder:
        measure(*build(Path(folder)))


if __name__ == "__main__":
    main()
