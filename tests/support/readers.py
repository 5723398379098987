"""Picture files as programs that are not ours read them: c2pa-python and ExifTool."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any


def manifests_in(body: bytes, content_type: str) -> dict[str, Any]:
    """The manifest store as c2pa-python reads it; empty without one."""
    import c2pa

    context = c2pa.Context(c2pa.Settings.from_dict({"version": 1, "verify": {"remote_manifest_fetch": False}}))
    reader = c2pa.Reader.try_create(content_type, io.BytesIO(body), context=context)
    if reader is None:
        return {}
    with reader:
        store: dict[str, Any] = json.loads(reader.json())
    return store


def active_manifest(store: dict[str, Any]) -> dict[str, Any]:
    """The manifest that is in force."""
    manifest: dict[str, Any] = store["manifests"][store["active_manifest"]]
    return manifest


def actions_of(manifest: dict[str, Any]) -> list[str]:
    """The names of a manifest's actions."""
    [actions] = [entry for entry in manifest["assertions"] if entry["label"].startswith("c2pa.actions")]
    return [action["action"] for action in actions["data"]["actions"]]


def exiftool(*files: Path) -> list[dict[str, Any]]:
    """What ExifTool reads in the files, by group and name."""
    command = ["exiftool", "-json", "-G1", "-struct", "-a", "-api", "LargeFileSupport=1", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    entries: list[dict[str, Any]] = json.loads(done.stdout)
    return entries
