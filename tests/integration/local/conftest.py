"""The small stack of `stack/`, ready to be started."""

import shutil
from pathlib import Path

import pytest

from imagegate.local.stack.settings import StackSettings

SMALL_STACK = Path(__file__).parent / "stack"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the small stack that a test may change."""
    return Path(shutil.copytree(SMALL_STACK, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def said() -> list[str]:
    """What the stack remarked."""
    return []


@pytest.fixture
def settings(project: Path, tmp_path: Path, said: list[str]) -> StackSettings:
    return StackSettings(
        template=project / "template.yaml",
        state=tmp_path / ".imagegate",
        port=0,
        ministack_port=0,
        upstreams_port=0,
        name="small",
        environment={"SFN_WAIT_SCALE": "0.01"},
        say=said.append,
    )
