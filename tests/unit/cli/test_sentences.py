"""What hints tell people to type."""

import sys
from pathlib import Path

import pytest

from imagegate.cli import target
from imagegate.cli.sentences import command
from imagegate.cli.target import local_options


def program(folder: Path) -> str:
    folder.mkdir()
    file = folder / "imagegate"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


def test_the_program_is_named_as_it_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, elsewhere = program(tmp_path / "on_path"), program(tmp_path / "else where")
    monkeypatch.setenv("PATH", str(tmp_path / "on_path"))
    message = []
    for called in (on_path, elsewhere, "/usr/bin/pytest"):
        monkeypatch.setattr(sys, "argv", [called])
        message.append(command())
    assert message == ["imagegate", f"'{elsewhere}'", "imagegate"]


def test_options_lead_to_the_same_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [target.target(stage, False, tmp_path).options for stage in ("dev", "prod")] == ["", " --stage prod"]
    assert local_options(Path(".imagegate")) == " --local"
    assert local_options(Path("other place")) == " --local --state-dir 'other place'"
    (tmp_path / "ports.json").write_text('{"ministack": 9}')
    assert target.target("dev", True, tmp_path).options == local_options(tmp_path)
