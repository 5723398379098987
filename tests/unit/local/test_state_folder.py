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


@pytest.mark.parametrize("root", ["/dev/null", "/dev/null/state", "{file}", "{file}/state"])
def test_what_can_be_no_folder_is_refused_in_a_sentence(root: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = Path(root.format(file=tmp_path / "file"))
    with pytest.raises(OSError, match=rf"^{path} cannot be used as the state folder: [A-Z].*, with --state-dir\.$"):
        StateFolder(path).create()


def test_a_folder_of_another_user_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(OSError, match=r"as the state folder: Operation not permitted\. Name a folder of yours"):
        StateFolder(tmp_path / "state").create()


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


def test_a_long_log_is_rotated(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegate.local.state_folder._LOG_LIMIT_BYTES", 3)
    folder.log.write_text("long")
    folder.open_log().close()
    assert folder.log.read_text() == ""
    assert folder.log.with_suffix(".old.log").read_text() == "long"


def _modes(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_mode & 0o777 for path in (root, *root.rglob("*"))}


def _open_to_others(root: Path) -> dict[str, str]:
    return {name: oct(mode) for name, mode in _modes(root).items() if mode & 0o077}


def test_only_the_owner_can_read_what_is_in_it(folder: StateFolder) -> None:
    before = os.umask(0o022)
    try:
        folder.root_credentials()
        folder.remember_ports({"ministack": 4000})
        folder.open_log().close()
        folder.lock().close()
    finally:
        os.umask(before)
    assert _open_to_others(folder.root) == {}
    assert len(_modes(folder.root)) > 6


def test_what_an_earlier_version_left_open_is_closed(folder: StateFolder) -> None:
    folder.remember_ports({})
    for path in (folder.root, folder.state, folder.objects):
        path.chmod(0o755)
    for path in (folder.log, folder.ports):
        path.chmod(0o644)
    folder.create()
    assert _open_to_others(folder.root) == {}


def test_a_folder_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    tmp_path.chmod(0o755)
    folder = StateFolder(tmp_path)
    folder.create()
    folder.create()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert folder.state.stat().st_mode & 0o777 == 0o700


def test_the_root_key_is_another_for_each_folder_and_stays(folder: StateFolder, tmp_path: Path) -> None:
    key = folder.root_credentials()
    other = StateFolder(tmp_path / "other")
    other.create()
    assert folder.root_credentials() == key
    assert other.root_credentials().secret_access_key != key.secret_access_key
    folder.root_key.write_text("{")
    assert folder.root_credentials() != key
