"""The folder of everything that the embedded stack keeps."""

import os
import shutil
import stat
from collections.abc import Iterator

from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject
from imagegate.local.state_folder import StateFolder

ROOM = 500_000_000
"""Bytes that pictures and state should find free."""


def run(subject: Subject) -> Iterator[Finding]:
    """Whether it can be written, is closed to others, is whole, and has room."""
    folder = subject.state_dir.absolute()
    parent = next(entry for entry in (folder, *folder.parents) if entry.exists())
    if not parent.is_dir():
        yield error(f"{parent} is not a folder.", "Use another --state-dir.")
        return
    if not os.access(parent, os.W_OK | os.X_OK):
        yield error(f"{parent} cannot be written to.", f"Run 'chmod u+rwx {parent}', or use another --state-dir.")
        return
    if folder.exists():
        yield from _examine(folder_mode=stat.S_IMODE(folder.stat().st_mode), folder=StateFolder(folder))
    free = shutil.disk_usage(parent).free
    if free < ROOM:
        yield warning(f"{free / 1e6:.0f} MB are free at {parent}.", "Make room, or use another --state-dir.")
    else:
        yield ok(f"{folder} {'is there' if folder.exists() else 'will be made'}; {free / 1e9:.0f} GB are free.")


def _examine(folder_mode: int, folder: StateFolder) -> Iterator[Finding]:
    if folder_mode & 0o077:
        yield error(f"Other users can read {folder.root}.", f"Run: chmod 700 {folder.root}")
    if folder.ports.exists() and not folder.remembered_ports():
        yield error(f"{folder.ports} is damaged.", f"Run 'rm {folder.ports}', then 'make run'.")


CHECK = Check(name="state folder", run=run)
