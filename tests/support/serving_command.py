"""`imagegate serve` in a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import requests

IMAGEGATE = [sys.executable, "-c", "from imagegate.cli.main import app; app()"]


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """What it prints, line by line."""
    assert process.stdout
    return iter(process.stdout.readline, "")


SECONDS = 120
"""Seconds that the first answer may take on a busy machine, whose gateway answers 503 until a function has begun."""


def base_url_of(lines: Iterator[str]) -> str:
    """The address that it announces, as soon as it answers. Raises StopIteration when it ends before."""
    base_url = next(found[1] for line in lines if (found := re.search(r"(http://\S+)/docs", line)))
    deadline = time.monotonic() + SECONDS
    while (answer := requests.get(f"{base_url}/v1/models", timeout=SECONDS)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    return base_url
