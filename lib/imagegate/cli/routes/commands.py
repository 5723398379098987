"""`imagegate routes`: a deployment's routes file, its versions, and the schema of such files."""

import difflib
import json
import time
from typing import Annotated

import typer

from imagegate.cli.progress import working
from imagegate.cli.routes import options
from imagegate.cli.routes.push import note_secrets, push_text
from imagegate.cli.sentences import aligned, command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, DeploymentTarget, Local, Stage, StateDir, target
from imagegate.domain.errors import InvalidRequest
from imagegate.ports.storage import PushedRoutes

routes_app = typer.Typer(help="Which upstreams make which pictures, in a file of yours.", no_args_is_help=True)

Note = Annotated[str, typer.Option(help="What changes, for the history.")]
_BUILTIN = "builtin"


@routes_app.command()
def push(
    file: options.File = options.DEFAULT_FILE,
    note: Note = "",
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Check a routes file and put it in force.

    It takes a minute at most, and no deployment.
    """
    with in_a_sentence():
        where = target(stage, local, state_dir)
        _push(where, options.read_text(file), str(file), note)


@routes_app.command()
def check(file: options.File = options.DEFAULT_FILE) -> None:
    """Say what is wrong in a routes file: line, key, remedy."""
    with in_a_sentence():
        table = options.read_table(file)
    hint(f"{file} is right: {len(table.document['models'])} models, {len(table.document['providers'])} providers.")


@routes_app.command()
def pull(stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE) -> None:
    """Print the routes file that is in force."""
    with in_a_sentence():
        current = target(stage, local, state_dir).deployment.pushed_routes.current()
    if current:
        typer.echo(current.text, nl=not current.text.endswith("\n"))
    else:
        hint("No routes file was ever pushed: the built-in routes are in force.")


@routes_app.command()
def diff(
    file: options.File = options.DEFAULT_FILE,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Show what pushing a routes file would change. The exit status is 1 if it would change something."""
    with in_a_sentence():
        current = target(stage, local, state_dir).deployment.pushed_routes.current()
        before, after = (current.text if current else ""), options.read_text(file)
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), current.version if current else _BUILTIN, str(file), lineterm=""
    )
    typer.echo("\n".join(lines), nl=before != after)
    raise typer.Exit(int(before != after))


@routes_app.command()
def history(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """List what was pushed. The first one is in force."""
    with in_a_sentence():
        pushed = target(stage, local, state_dir).deployment.pushed_routes.history()
    if json_:
        names = ("version", "pushed_at", "pushed_by", "note", "previous")
        typer.echo(json.dumps([{name: getattr(entry, name) for name in names} for entry in pushed]))
    elif pushed:
        typer.echo(aligned([("VERSION", "PUSHED", "BY", "NOTE"), *map(_row, pushed)]))
    else:
        hint("No routes file was ever pushed: the built-in routes are in force.")


@routes_app.command()
def rollback(
    version: Annotated[
        str, typer.Argument(help="A version of the history, or 'builtin'; the one before if left out.")
    ] = "",
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Put an earlier routes file in force again."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        current = where.deployment.pushed_routes.current()
        wanted = version or (current.previous if current else "") or _BUILTIN
        _push(where, _text_of(where, wanted), f"routes {wanted}", f"rollback to {wanted}")


@routes_app.command()
def schema() -> None:
    """Print the JSON Schema of routes files, for editors."""
    from imagegate.providers.routes_schema import build_schema

    typer.echo(json.dumps(build_schema(), indent=2))


def _push(where: DeploymentTarget, text: str, source: str, note: str) -> None:
    with working(f"1 of 2: check {source} and put it in force"):
        pushed = push_text(where.deployment.pushed_routes, text, source, note)
    with working("2 of 2: note which credentials are set"):
        note_secrets(where)
    seconds = "within a minute; operations under way keep theirs"
    hint(f"Pushed as {pushed.version}: in force {seconds}." if pushed else "These routes are in force already.")


def _text_of(where: DeploymentTarget, version: str) -> str:
    if version == _BUILTIN:
        return ""
    found = where.deployment.pushed_routes.get(version)
    if found is None:
        remedy = f"List them: {command()} routes history{where.options}"
        raise InvalidRequest(f"There is no version {version!r} of the routes.", remedy=remedy)
    return found.text


def _row(pushed: PushedRoutes) -> tuple[str, ...]:
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(pushed.pushed_at))
    return pushed.version, moment, pushed.pushed_by, pushed.note
