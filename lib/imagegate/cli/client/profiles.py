"""Gateways and keys that `imagegate login` keeps, in a file that only its owner can read."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from imagegate.cli.client.exits import CommandError

DEFAULT = "default"
"""The profile that is used when none is named."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A gateway, and the key for it."""

    url: str
    key: str = ""
    """Empty for a gateway that asks for none."""


def profiles_file() -> Path:
    """Where profiles are kept."""
    return Path(typer.get_app_dir("imagegate")) / "profiles.json"


def read_profiles() -> dict[str, Profile]:
    """The profiles by name. Raises CommandError when the file cannot be read."""
    path = profiles_file()
    try:
        return {name: Profile(**entry) for name, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CommandError(f"{path} cannot be read ({error}). Delete it, then log in again.") from None


def save_profile(name: str, profile: Profile) -> Path:
    """Add or replace a profile; the file's path. Raises CommandError."""
    path, found = profiles_file(), read_profiles()
    text = json.dumps({each: asdict(entry) for each, entry in (found | {name: profile}).items()}, indent=2)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
    return path
