"""A layer is unpacked once."""

import zipfile
from pathlib import Path

import pytest

from imagegate.local.ministack.shared_layers import SharedArchive


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(SharedArchive, "_unpacked", {})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def write(path: Path, count: int, text: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            # Without an entry of its own it would have the time of its writing.
            archive.writestr(zipfile.ZipInfo(f"python/package/module{number}.py"), f"{text}{number}")
    return path


def unpack(path: Path, folder: Path) -> int:
    """Unpack as MiniStack does; how many names it has checked."""
    folder.mkdir()
    with SharedArchive(path) as archive:
        names = len(archive.namelist())
        archive.extractall(folder)
    return names


def test_a_large_archive_is_unpacked_once_and_linked(tmp_path: Path) -> None:
    first, second = write(tmp_path / "first.zip", 300), write(tmp_path / "second.zip", 300)
    checked = [unpack(first, tmp_path / "a"), unpack(second, tmp_path / "b")]
    assert checked == [300, 0]
    files = [tmp_path / folder / "python/package/module7.py" for folder in "ab"]
    assert [file.read_text() for file in files] == ["7", "7"]
    assert files[0].samefile(files[1])


def test_another_content_is_not_shared(tmp_path: Path) -> None:
    unpack(write(tmp_path / "layer.zip", 300, "old "), tmp_path / "a")
    unpack(write(tmp_path / "layer.zip", 300, "new "), tmp_path / "b")
    assert [(tmp_path / folder / "python/package/module7.py").read_text() for folder in "ab"] == ["old 7", "new 7"]


def test_a_functions_own_code_is_unpacked_for_each_worker(tmp_path: Path) -> None:
    code = write(tmp_path / "code.zip", 12)
    assert [unpack(code, tmp_path / "a"), unpack(code, tmp_path / "b")] == [12, 12]
    (tmp_path / "a/python/package/module7.py").write_text("changed")
    assert (tmp_path / "b/python/package/module7.py").read_text() == "7"
