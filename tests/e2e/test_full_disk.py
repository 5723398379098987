"""`imagegate serve` on a file system that is really full, or refuses what is written."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from e2e.test_serve import ROOT, serving

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("serve")]
MEGABYTE = 1_000_000
PATIENCE = 60.0
HELD = 20.0
"""Seconds; a POST that waits for a picture in vain is held for 25."""
PROMPT = {"prompt": "a fox", "size": "512x512"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts an empty disk of so many megabytes. Only root may."""
    folder, mounted = tmp_path / "disk", []

    def mount(megabytes: int) -> Path:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes * MEGABYTE}", "tmpfs", folder], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for each in mounted:
        subprocess.run(["umount", "--lazy", each], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")


def refused_start(state_dir: Path, **options: Callable[[], None]) -> str:
    """What `imagegate serve` says that does not start."""
    command = [str(Path(sys.executable).with_name("imagegate")), "serve", "--port", "0", "--state-dir", str(state_dir)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, preexec_fn=options.get("first")
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


@needs_root
def test_it_does_not_start_on_a_disk_of_one_megabyte(disk: Callable[[int], Path]) -> None:
    state_dir = disk(1) / "state"
    said = refused_start(state_dir)
    assert f"The disk of {state_dir} is full: 1 MB are free, and 64 MB are needed" in " ".join(said.split())
    assert not state_dir.exists()


def test_it_does_not_start_where_large_files_are_refused(tmp_path: Path) -> None:
    """As with a quota of the user: the disk has room, and what is written is refused."""

    def first() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 * MEGABYTE, 8 * MEGABYTE))

    said = " ".join(refused_start(tmp_path / "state", first=first).split())
    assert "takes no 64 MB, which are needed: File too large" in said
    assert "--state-dir" in said


@needs_root
def test_a_disk_that_fills_up_is_told_and_one_with_room_again_works(disk: Callable[[int], Path]) -> None:
    folder = disk(200)
    with serving("--port", "0", "--state-dir", str(folder / "state"), "--latency", "0.1") as served:
        url = f"{served.url}/v1/images/generations"
        made = requests.post(url, json=PROMPT, timeout=PATIENCE)
        assert made.status_code == 200, made.text
        fill(folder / "ballast")
        began = time.monotonic()
        refused = requests.post(url, json=PROMPT | {"prompt": "another fox"}, timeout=PATIENCE)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert refused.json()["message"].startswith(f"The disk of {folder / 'state'} is full: 0 MB are free")
        assert time.monotonic() - began < HELD, "nothing is held for nothing"
        kept = requests.get(f"{served.url}/v1/operations/{made.json()['operation_id']}", timeout=PATIENCE)
        assert (kept.status_code, kept.json().get("state")) == (200, "succeeded"), kept.text
        (folder / "ballast").unlink()
        assert requests.post(url, json=PROMPT | {"prompt": "a third fox"}, timeout=PATIENCE).status_code == 200
        assert served.stop() == 0
        assert "Traceback" not in served.printed


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as ballast:
        try:
            while ballast.write(bytes(MEGABYTE)) == MEGABYTE:
                pass
        except OSError:
            return
