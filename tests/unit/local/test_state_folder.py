"""The state folder: its lock, its remembered ports, and objects without a state."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagegate.local.state_folder import ARTIFACT_BUCKET, FolderInUse, StateFolder


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / ".imagegate")
    folder.create()
    return folder


def test_a_second_lock_names_the_holder(folder: StateFolder) -> None:
    with folder.lock(), pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
        folder.lock()


def test_a_lock_ends_with_its_process_however_that_ends(folder: StateFolder) -> None:
    program = (
        "import os, sys, pathlib; from imagegate.local.state_folder import StateFolder\n"
        "lock = StateFolder(pathlib.Path(sys.argv[1])).lock(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(folder.root)], check=False)
    folder.lock().close()


def test_ports_are_remembered_and_a_damaged_note_is_no_harm(folder: StateFolder) -> None:
    folder.remember_ports({"ministack": 4000})
    assert folder.remembered_ports() == {"ministack": 4000}
    folder.ports.write_text("{")
    assert folder.remembered_ports() == {}


def _put(folder: StateFolder, bucket: str) -> None:
    path = folder.objects / "000000000000" / bucket / "key"
    path.parent.mkdir(parents=True)
    path.write_text("picture")


def test_objects_without_a_state_are_moved_aside_not_deleted(folder: StateFolder) -> None:
    _put(folder, "pictures")
    aside = folder.set_aside_stray_objects()
    assert aside
    assert (aside / "000000000000" / "pictures" / "key").read_text() == "picture"
    assert list(folder.objects.iterdir()) == []


def test_objects_with_their_state_stay(folder: StateFolder) -> None:
    _put(folder, "pictures")
    folder.snapshot.write_text("{}")
    assert folder.set_aside_stray_objects() is None


def test_packaged_code_alone_is_no_reason_to_move_anything(folder: StateFolder) -> None:
    _put(folder, ARTIFACT_BUCKET)
    assert folder.set_aside_stray_objects() is None


def test_a_long_log_begins_anew(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegate.local.state_folder._LOG_LIMIT_BYTES", 3)
    folder.log.write_text("long")
    folder.open_log().close()
    assert folder.log.read_text() == ""
    assert folder.log.with_suffix(".old.log").read_text() == "long"
