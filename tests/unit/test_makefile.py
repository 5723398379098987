"""What `make` would run to deploy and to remove a deployment; nothing is run."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def commands(target: str) -> str:
    """The commands of a target, as `make` prints them instead of running them."""
    return subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=True, text=True).stdout


def test_deploying_what_is_deployed_already_is_no_failure() -> None:
    assert "--no-fail-on-empty-changeset" in commands("deploy")


def test_what_a_removal_leaves_is_listed_before_its_name_is_gone() -> None:
    said = commands("destroy")
    assert -1 < said.index("sam list stack-outputs --stack-name imagegate-dev") < said.index("sam delete")
