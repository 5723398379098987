"""The `imagegate` command."""

import typer

from imagegate.cli.bridge import bridge_app
from imagegate.cli.client.account import login, open_studio, usage
from imagegate.cli.client.generate import generate
from imagegate.cli.client.mcp import mcp
from imagegate.cli.client.operations import operations_app
from imagegate.cli.deploy.command import deploy, destroy
from imagegate.cli.doctor.command import doctor
from imagegate.cli.env import env
from imagegate.cli.events import events_app
from imagegate.cli.keys import keys_app
from imagegate.cli.openapi import openapi
from imagegate.cli.provenance import provenance
from imagegate.cli.routes.commands import routes_app
from imagegate.cli.routes.models import models
from imagegate.cli.routes.providers import providers_app
from imagegate.cli.schemas import schemas
from imagegate.cli.secrets import secrets_app
from imagegate.cli.serve import serve
from imagegate.cli.signing import signing_app
from imagegate.cli.tables import tables

app = typer.Typer(
    help="An image-generation gateway: OpenAI Images and YandexART in, any upstream behind.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(generate)
app.add_typer(operations_app, name="operations")
app.command()(usage)
app.command()(login)
app.command("open")(open_studio)
app.command()(mcp)
app.command()(serve)
app.command()(doctor)
app.command()(deploy)
app.command()(destroy)
app.command()(env)
app.command()(models)
app.command()(openapi)
app.command()(provenance)
app.command(hidden=True)(tables)
app.command(hidden=True)(schemas)
app.add_typer(bridge_app, name="bridge")
app.add_typer(events_app, name="events")
app.add_typer(keys_app, name="keys")
app.add_typer(providers_app, name="providers")
app.add_typer(routes_app, name="routes")
app.add_typer(secrets_app, name="secrets")
app.add_typer(signing_app, name="signing")


@app.callback()
def _commands() -> None:
    """An image-generation gateway: OpenAI Images and YandexART in, any upstream behind."""
