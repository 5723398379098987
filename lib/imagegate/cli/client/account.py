"""`imagegate usage`, `login` and `open`: the caller's key, gateways by name, and the studio."""

import sys
import webbrowser
from typing import Annotated, Any

import typer

from imagegate.cli.client import options
from imagegate.cli.client.connection import Connection, ProfileName, Url, base_url
from imagegate.cli.client.exits import CommandError, exit_statuses, prints_json
from imagegate.cli.client.profiles import DEFAULT, Profile, save_profile
from imagegate.cli.client.session import client_of, gateway
from imagegate.cli.key_output import amounts, usage_row
from imagegate.cli.sentences import aligned, ask_secret, hint
from imagegate.dialects.operations.usage import LONGEST

Days = Annotated[int, typer.Option(min=1, max=LONGEST, help="How many days, today included.")]
GatewayUrl = Annotated[str, typer.Argument(metavar="URL", help="The gateway.")]
NewProfile = Annotated[str, typer.Option("--profile", metavar="NAME", help="Keep it under this name.")]


def usage(days: Days = 1, json_: options.Json = None, url: Url = "", profile: ProfileName = "") -> None:
    """Show what your API key has used of its limits."""
    from imagegate.cli.client.result import print_json

    with gateway(url, profile) as client:
        found = client.get("/v1/usage", days=days)
    if prints_json(json_):
        print_json(found)
    elif found["counted"]:
        typer.echo(aligned([("DAY", "PICTURES", "DOLLARS"), *map(usage_row, found["days"])]))
        hint(f"Left: {amounts(found['left'])}; daily limits are reset at {found['resets_at']}.")
    else:
        hint(_uncounted(found))


def login(url: GatewayUrl, profile: NewProfile = DEFAULT) -> None:
    """Keep a gateway, and your key for it. Other commands then use them."""
    with exit_statuses():
        base = base_url(url)
        key = _ask_key(base)
        with client_of(Connection(url=base, key=key)) as client:
            client.get("/v1/usage")
        path = save_profile(profile, Profile(base, key))
    used = "" if profile == DEFAULT else f" Use it with --profile {profile}."
    hint(f"Logged in to {base}; kept in {path}.{used}")


def open_studio(url: Url = "", profile: ProfileName = "") -> None:
    """Open the studio, the gateway's own page, in a browser."""
    with gateway(url, profile) as client:
        address = f"{client.connection.url}/"
        if not client.has("/"):
            raise CommandError(f"{client.connection.url} has no studio. Deploy it with Studio=on.")
    typer.echo(address)
    if not webbrowser.open(address):
        hint("No browser was found here. Open the address yourself.")


def _ask_key(base: str) -> str:
    """The key, typed without echo, or from standard input; empty for a gateway that asks for none."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return ask_secret(f"API key for {base} (empty if it asks for none)")


def _uncounted(found: dict[str, Any]) -> str:
    if found["key"] is None:
        return "This gateway asks for no key, so nothing is counted."
    return f"Key {found['key']} has no daily or concurrent limit, so its usage is not counted."
