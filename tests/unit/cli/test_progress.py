"""Long work says what is being done and what is left."""

import re
import subprocess
from pathlib import Path

import pytest

from imagegate.cli.deploy.screen import DeploySteps

ROOT = Path(__file__).parents[3]


def test_steps_are_numbered_and_a_further_one_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    steps = DeploySteps(2)
    with steps.step("build"):
        pass
    with steps.further("wait"):
        pass
    with steps.step("deploy", quiet=False):
        pass
    lines = capsys.readouterr().out.splitlines()
    numbered = [line for line in lines if " of " in line]
    assert numbered == ["==> 1 of 2: build", "==> 2 of 3: wait", "==> 3 of 3: deploy"]
    ended = [found[1] for line in lines if (found := re.fullmatch(r"==> (\w+): done in \d+ s", line))]
    assert ended == ["build", "wait", "deploy"]


def test_the_first_set_up_counts_its_steps() -> None:
    """Nothing is run."""
    command = ["make", "-n", "-B", "setup"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert re.findall(r"(\d) of (\d)", told) == [(str(number), "4") for number in range(1, 5)]
