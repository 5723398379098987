"""The page's files as three that a browser loads: a document, a script and a style sheet.

The sources are plain ES modules and style sheets, one matter a file. A request for each would be an invocation for
each, so they are joined when the first of them is asked for (docs/adr/0030-the-studio-has-no-build-step.md).
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

PAGE, SCRIPT, STYLES = "index.html", "studio.js", "studio.css"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async function|function|const|class) (\w+)", re.MULTILINE)
_FIRST = "main"
_DIGEST = "DIGEST"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files by name, each as it is and compressed, and the digest that is part of their address."""

    digest: str
    plain: dict[str, bytes]
    compressed: dict[str, bytes]


@cache
def load() -> Bundle:
    """Join the files of this package, once for each process."""
    assets = files(__package__) / "assets"
    parts = {SCRIPT: join_modules(assets / "js"), STYLES: _join_styles(assets / "css")}
    page = (assets / PAGE).read_text("utf-8")
    digest = hashlib.sha256("\0".join([page, *parts.values()]).encode()).hexdigest()[:16]
    plain = {name: text.encode() for name, text in {PAGE: page.replace(_DIGEST, digest), **parts}.items()}
    return Bundle(digest, plain, {name: gzip.compress(body, mtime=0) for name, body in plain.items()})


def join_modules(folder: Traversable) -> str:
    """One module of all that `main` imports, each in a scope of its own and before those that import it."""
    joined: dict[str, str] = {}

    def add(name: str) -> None:
        source = (folder / f"{name}.js").read_text("utf-8")
        for _, imported in _IMPORT.findall(source):
            if imported not in joined:
                add(imported)
        joined[name] = _scoped(name, source)

    add(_FIRST)
    return "".join(joined.values())


def _scoped(name: str, source: str) -> str:
    """The module as a constant that holds what it exports."""
    exported = ", ".join(_EXPORT.findall(source))
    imported = _IMPORT.sub(r"const {\1} = module_\2;\n", source)
    body = _EXPORT.sub(lambda found: found[0].removeprefix("export "), imported)
    return f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _join_styles(folder: Traversable) -> str:
    sheets = sorted((sheet for sheet in folder.iterdir() if sheet.name.endswith(".css")), key=lambda sheet: sheet.name)
    return "".join(sheet.read_text("utf-8") for sheet in sheets)
