"""Checks of this machine and of a gateway at a URL: each fails, and passes after its remedy."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegate.cli.client.connection import Connection
from imagegate.cli.doctor import clock, examination, gateway, ports, python, state_folder
from imagegate.cli.doctor.finding import Check, Finding, Level, ok
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.main import app
from imagegate.local.state_folder import StateFolder
from support.bare_server import answering, says
from support.cli_gateway import CliGateway, cli_gateway

NOW = 1_800_000_000.0


@pytest.fixture
def closed() -> Iterator[CliGateway]:
    with cli_gateway("keys") as served:
        yield served


def levels(findings: object) -> list[Level]:
    return [finding.level for finding in findings]  # type: ignore[attr-defined]


def only(findings: object) -> Finding:
    [found] = list(findings)  # type: ignore[call-overload]
    assert isinstance(found, Finding)
    return found


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(python.run(Subject()))[-1] is Level.OK
    monkeypatch.setattr(python, "OLDEST", (sys.version_info[0], sys.version_info[1] + 1))
    found = only(python.run(Subject()))
    assert (found.level, "make PYTHON=" in found.remedy) == (Level.ERROR, True)


def test_packages_older_than_the_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock, stamp = tmp_path / "tests" / "requirements.txt", tmp_path / ".venv" / ".installed"
    for path in (lock, stamp):
        path.parent.mkdir()
        path.touch()
    monkeypatch.setattr(python, "SOURCE", tmp_path)
    os.utime(stamp, (1, 1))
    assert levels(python.run(Subject())) == [Level.WARNING, Level.OK]
    os.utime(stamp)  # what `make setup` does
    assert levels(python.run(Subject())) == [Level.OK]


def test_a_port_that_another_program_has() -> None:
    with answering(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")) as (port, _):
        found = only(ports.run(Subject(), port))
        assert (found.level, f"lsof -i :{port}" in found.remedy) == (Level.ERROR, True)
    assert only(ports.run(Subject(), port)).level is Level.OK


def test_a_port_that_a_gateway_has(closed: CliGateway) -> None:
    found = only(ports.run(Subject(), int(closed.url.rpartition(":")[2])))
    assert (found.level, "A gateway serves" in found.text) == (Level.OK, True)


def test_a_state_folder_that_others_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    found = next(iter(state_folder.run(Subject(state_dir=folder))))
    assert (found.level, found.remedy) == (Level.ERROR, f"Run: chmod 700 {folder}")
    folder.chmod(0o700)
    assert only(state_folder.run(Subject(state_dir=folder))).level is Level.OK


def test_a_state_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = only(state_folder.run(Subject(state_dir=tmp_path / "file" / "state")))
    assert (found.level, found.text) == (Level.ERROR, f"{tmp_path / 'file'} is not a folder.")
    assert found.remedy == "Use another --state-dir."
    assert only(state_folder.run(Subject(state_dir=tmp_path / "folder" / "state"))).level is Level.OK


def test_a_damaged_note_of_ports(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    folder.ports.write_text("{")
    found = next(iter(state_folder.run(Subject(state_dir=folder.root))))
    assert (found.level, f"rm {folder.ports}" in found.remedy) == (Level.ERROR, True)
    folder.ports.unlink()
    assert only(state_folder.run(Subject(state_dir=folder.root))).level is Level.OK


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(state_folder.run(Subject(state_dir=tmp_path / "new"))).level is Level.OK
    monkeypatch.setattr(state_folder, "ROOM", 1e18)
    found = only(state_folder.run(Subject(state_dir=tmp_path / "new")))
    assert (found.level, "Make room" in found.remedy) == (Level.WARNING, True)


@pytest.mark.parametrize("off", [-1000.0, 1000.0])
def test_a_clock_that_is_wrong(off: float) -> None:
    def at(seconds: float) -> Subject:
        answer = (200, b"", {"date": formatdate(NOW, usegmt=True)})
        return Subject(
            connection=Connection(url="https://gate.example.com"), fetch=lambda url: answer, now=lambda: NOW + seconds
        )

    found = only(clock.run(at(off)))
    assert (found.level, "timedatectl" in found.remedy) == (Level.ERROR, True)
    assert only(clock.run(at(1.0))).level is Level.OK


def test_a_clock_behind_the_files() -> None:
    assert only(clock.run(Subject(now=lambda: 0.0))).level is Level.ERROR
    assert only(clock.run(Subject())).level is Level.OK


def test_a_gateway_that_wants_another_key(closed: CliGateway) -> None:
    _, key = closed.made.key()
    found = only(gateway.run(Subject(connection=Connection(url=closed.url, key="ig_wrong"))))
    assert (found.level, f"imagegate login {closed.url}" in found.remedy) == (Level.ERROR, True)
    assert only(gateway.run(Subject(connection=Connection(url=closed.url, key=key)))).level is Level.OK


def test_a_gateway_that_does_not_answer(closed: CliGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = only(gateway.run(Subject(connection=Connection(url=f"http://127.0.0.1:{port}"))))
    assert (found.level, bool(found.remedy)) == (Level.ERROR, True)


def test_nothing_served_is_no_fault(tmp_path: Path) -> None:
    found = only(gateway.run_embedded(Subject(state_dir=tmp_path)))
    assert (found.level, found.remedy) == (Level.SKIPPED, "Start it: make run")


def test_what_depends_on_a_failed_check_is_skipped_and_a_broken_check_stops_no_other() -> None:
    def broken(subject: Subject) -> list[Finding]:
        raise ValueError("x")

    checks = (
        Check(name="first", run=broken),
        Check(name="second", run=lambda subject: [ok("fine")], needs=("first",)),
        Check(name="third", run=lambda subject: [ok("fine")], needs=("second",)),
        Check(name="fourth", run=lambda subject: [ok("fine")]),
    )
    found = [finding.level for _, finding in examination.examine(Subject(), checks)]
    assert found == [Level.ERROR, Level.SKIPPED, Level.SKIPPED, Level.OK]


def test_the_command_says_it_in_words_and_as_json(closed: CliGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEGATE_API_KEY", raising=False)
    shown = CliRunner().invoke(app, ["doctor", "--url", closed.url, "--no-json"])
    assert shown.exit_code == 1
    assert "✗ gateway" in shown.stdout
    assert "imagegate login" in shown.stdout
    monkeypatch.setenv("IMAGEGATE_API_KEY", closed.made.key()[1])
    piped = CliRunner().invoke(app, ["doctor", "--url", closed.url])
    assert piped.exit_code == 0, piped.output
    rows = json.loads(piped.stdout)
    assert {row["check"]: row["level"] for row in rows} == {"python": "ok", "gateway": "ok", "clock": "ok"}
    assert CliRunner().invoke(app, ["doctor", "--local", "--stage", "dev"]).exit_code == 1
