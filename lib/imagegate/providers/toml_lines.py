"""Where the keys of a TOML document stand, which its parser does not tell."""

import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def line_of(text: str, path: Path) -> int:
    """The line, counted from 1, of the key at `path`, or of the innermost table around it that has a line."""
    lines = _lines(text)
    found = (lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines)
    return next(found, 1)


def _lines(text: str) -> dict[Path, int]:
    """Every key that begins a line, and every table."""
    lines: dict[Path, int] = {}
    for number, path in _declarations(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
        lines[path] = min(lines[path], number)
    return lines


def _declarations(text: str) -> Iterator[tuple[int, Path]]:
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("[") and (path := _path(line)):
            table = path
            yield number, table
        elif "=" in line and (path := _path(f"{line.partition('=')[0]}= 0")):
            yield number, table + path


def _path(line: str) -> Path:
    """The keys that lead to what the line declares; none for a line that declares nothing by itself."""
    try:
        inner: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path = []
    while isinstance(inner, dict) and inner:
        [(key, inner)] = inner.items()
        path.append(key)
    return tuple(path)
