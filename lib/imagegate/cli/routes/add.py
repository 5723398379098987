"""`imagegate providers add`: a provider of the user's, written into the routes file."""

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from imagegate.cli.routes.options import read_text
from imagegate.domain.errors import InvalidRequest
from imagegate.providers.routes_check import is_private
from imagegate.providers.routes_file import parse_routes
from imagegate.providers.routes_schema import build_schema

SCHEMA_FILE = "imagegate.schema.json"
_HEAD = f"#:schema ./{SCHEMA_FILE}\n# Models and providers of yours; `imagegate routes check` checks them.\n"


def add_provider(
    path: Path,
    name: str,
    protocol: str,
    base_url: str,
    key_names: Sequence[str],
    model: str,
    takes: Sequence[str] = (),
) -> tuple[str, bool]:
    """Write the provider and a model of its name; `path` is made if it is not there. `model`: its own model's name.
    `takes`: the fields of a request that it honours.

    The text that was added, and whether the file is new. Raises InvalidRequest or RoutesFileError, and leaves the file
    as it was.
    """
    new = not path.exists()
    before = _HEAD if new else read_text(path)
    _refuse_known(path, before, name)
    added = _entry(name, protocol, base_url, key_names, model, takes)
    text = f"{before.rstrip()}\n\n{added}"
    parse_routes(text, str(path))
    try:
        path.write_text(text, encoding="utf-8")
        if new:
            path.with_name(SCHEMA_FILE).write_text(json.dumps(build_schema(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise InvalidRequest(f"{path} cannot be written: {reason}.", remedy="Name a file that you may write.") from None
    return added, new


def _refuse_known(path: Path, text: str, name: str) -> None:
    try:
        known = tomllib.loads(text).get("providers", {})
    except tomllib.TOMLDecodeError:
        return  # parse_routes says what is wrong
    if name in known:
        raise InvalidRequest(f"{path} has a provider '{name}' already.", remedy="Change it there, or choose a name.")


def _entry(name: str, protocol: str, base_url: str, key_names: Sequence[str], model: str, takes: Sequence[str]) -> str:
    parsed = urlsplit(base_url)
    private = parsed.scheme == "http" or is_private(parsed.hostname or "")
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
    lines = [f"[providers.{key}]", f"protocol = {_quoted(protocol)}", f"base_url = {_quoted(base_url)}"]
    if private:
        lines.append("private_network = true  # it may have an address that is not on the public internet")
    if key_names:
        lines.append("keys = { " + ", ".join(f'{key} = "Bearer"' for key in key_names) + " }")
    if takes:
        lines.append(f"takes = [{', '.join(map(_quoted, takes))}]")
    lines += ["", f"[models.{key}]", f"route = [{_quoted(f'{name}/{model}')}]", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
