"""`imagegate providers`: the upstreams, with what they lack."""

from contextlib import closing
from typing import Annotated

import typer

from imagegate.cli.routes import options
from imagegate.cli.routes.add import SCHEMA_FILE, add_provider
from imagegate.cli.routes.state import RoutesState, read_state
from imagegate.cli.sentences import aligned, command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STATE, Local, StateDir
from imagegate.providers.reachability import Reachability, check_provider

providers_app = typer.Typer(help="The upstreams that make pictures.", invoke_without_command=True)

ProviderName = Annotated[str, typer.Argument(metavar="NAME", help="Letters a-z, digits, _ and -.")]
Protocol = Annotated[str, typer.Option(help="How it is spoken to: openai_images, gradio_space, …")]
BaseUrl = Annotated[str, typer.Option(help="Where it is, such as http://127.0.0.1:9999/v1.")]
KeyNames = Annotated[
    list[str],
    typer.Option("--key-name", metavar="SECRET", help="Name of the secret with its key; the first one that is set."),
]
Takes = Annotated[
    list[str],
    typer.Option("--takes", metavar="FIELD", help="A field that it honours beyond prompt and size: seed, steps, …"),
]
Model = Annotated[str, typer.Option(help="Its own name of the model; NAME if left out.", show_default=False)]


@providers_app.command()
def add(
    name: ProviderName,
    protocol: Protocol,
    base_url: BaseUrl,
    key_name: KeyNames = [],  # noqa: B006 - typer reads it, nothing changes it
    model: Model = "",
    takes: Takes = [],  # noqa: B006 - as above
    routes: options.Routes = None,
) -> None:
    """Write a provider, and a model of its name, into the routes file."""
    path = routes or options.DEFAULT_FILE
    with in_a_sentence():
        added, new = add_provider(path, name, protocol, base_url, key_name, model or name, takes)
    typer.echo(added, nl=False)
    hint(f"\nAdded to {path}{f', which is new; {SCHEMA_FILE} beside it is for editors' if new else ''}.")
    if key_name:
        hint(f"Set its key: {command()} secrets set {key_name[0]} --local (or --stage …)")
    hint(f"Use it: {command()} serve --routes {path}   or   {command()} routes push {path} --stage …")


@providers_app.callback()
def list_providers(
    context: typer.Context,
    routes: options.Routes = None,
    stage: options.Stage = None,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """The upstreams that make pictures; alone, it lists them."""
    if context.invoked_subcommand:
        return
    with in_a_sentence():
        state = read_state(routes, stage, local, state_dir)
        rows = [_row(state, name) for name in state.table.document["providers"]]
    typer.echo(aligned([("PROVIDER", "PROTOCOL", "AVAILABLE", "BASE URL", "MODELS"), *rows]))


@providers_app.command()
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One provider; all if left out.")] = "",
    routes: options.Routes = None,
    stage: options.Stage = None,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Reach the providers and check their keys.

    It does so from this machine, and buys no picture.
    """
    from imagegate.adapters.http_upstream import HttpUpstream

    with in_a_sentence():
        state = read_state(routes, stage, local, state_dir)
        names = [name] if name else [*state.table.document["providers"]]
        with closing(HttpUpstream()) as http:
            found = [check_provider(state.table, entry, state.secrets, http.confined) for entry in names]
    rows = [_checked(entry, result) for entry, result in zip(names, found, strict=True)]
    typer.echo(aligned([("PROVIDER", "REACHED", "KEY", "TIME", "ANSWER"), *rows]))
    raise typer.Exit(int(not all(result.reached and result.key is not False for result in found)))


def _row(state: RoutesState, name: str) -> tuple[str, ...]:
    targets = [target for route in state.table.routes for target in route.targets if target.provider == name]
    used = [route.model for route in state.table.routes if any(target.provider == name for target in route.targets)]
    keys = state.table.document["providers"][name]
    lacks = state.lacks(targets[0]) if targets else "on no route"
    return name, keys["protocol"], lacks or "yes", keys["base_url"], ", ".join(used)


def _checked(name: str, result: Reachability) -> tuple[str, ...]:
    key = {True: "taken", False: "refused", None: "not asked for"}[result.key]
    return name, "yes" if result.reached else "no", key, f"{result.seconds:.2f} s", result.detail
