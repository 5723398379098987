"""Options of the commands about routes, and the table that they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegate.cli.target import DEFAULT_STATE, DeploymentTarget, target
from imagegate.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from imagegate.providers.registry import RouteTable

DEFAULT_FILE = Path("imagegate.toml")
"""The routes file of the folder that a command is run in."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The routes file.", dir_okay=False)]
Routes = Annotated[
    Path | None,
    typer.Option(
        "--routes",
        metavar="FILE",
        help="The routes file; imagegate.toml if it is there.",
        dir_okay=False,
        show_default=False,
    ),
]
Stage = Annotated[
    str | None, typer.Option(help="A deployment, by the Stage of its template; not the file.", show_default=False)
]


def read_text(path: Path) -> str:
    """The text of a routes file, without the mark that some editors begin it with.

    Raises InvalidRequest when it cannot be read.
    """
    from imagegate.providers.routes_file import LARGEST

    try:
        with path.open("rb") as file:
            # No more than shows that it is too large: it may be a device that never ends.
            body = file.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidRequest(f"{path} cannot be read: {reason}.", remedy="Name another file.") from None
    if len(body) > LARGEST:
        raise InvalidRequest(f"{path} has more than {LARGEST} bytes.", remedy="Take out models that you do not use.")
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InvalidRequest(
            f"{path}:{line}: not valid TOML: it is no UTF-8 text.", remedy="Save it as UTF-8."
        ) from None


def read_table(path: Path | None) -> "RouteTable":
    """The table of a routes file; of the built-in routes for `None` without imagegate.toml.

    Raises InvalidRequest or RoutesFileError.
    """
    from imagegate.providers.routes_file import parse_routes

    path = path or default_file()
    return parse_routes(read_text(path), str(path)) if path else parse_routes("")


def default_file() -> Path | None:
    """imagegate.toml of this folder, if there is one."""
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def deployment_of(stage: str | None, local: bool, state_dir: Path = DEFAULT_STATE) -> DeploymentTarget | None:
    """The deployment that the options name; `None`: they name none. Raises MisconfiguredError."""
    return target(stage or "", local, state_dir) if stage or local else None
