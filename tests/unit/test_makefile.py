"""What `make` would run to deploy and to remove a deployment; nothing is run."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", ["deploy", "destroy"])
def test_the_stage_and_more_options_are_handed_on(target: str) -> None:
    command = ["make", "-n", target, "STAGE=prod", "ARGS=--help"]
    message = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert f'imagegate {target} --stage "prod" --help' in message
