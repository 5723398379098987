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
    """The text of a routes file. Raises InvalidRequest when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}.", remedy="Name another file.") from None


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
