"""`imagegate generate`: a picture from a prompt."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from imagegate.cli.client import options
from imagegate.cli.client.connection import Connection, ProfileName, Url
from imagegate.cli.client.exits import CommandError, Interrupted, exit_statuses, prints_json
from imagegate.cli.client.session import gateway_or_served
from imagegate.cli.sentences import command, hint

if TYPE_CHECKING:
    from imagegate.cli.client.gateway import GatewayClient
    from imagegate.cli.client.order import ImageOrder
    from imagegate.cli.client.states import Operation

Prompt = Annotated[str, typer.Argument(metavar="PROMPT", help="What to draw; - reads it from standard input.")]
Model = Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help="'imagegate models' lists them.")]
Count = Annotated[int, typer.Option("-n", metavar="N", min=1, max=10, help="How many pictures.")]
Size = Annotated[str, typer.Option("--size", "-s", metavar="SIZE", help="1024x768, or a ratio such as 3:2.")]
Seed = Annotated[int | None, typer.Option(metavar="N", min=0, help="The same seed draws the same picture.")]
Negative = Annotated[str, typer.Option(metavar="TEXT", help="What not to draw.")]
Inputs = Annotated[list[str], typer.Option("--input", "-i", metavar="FILE", help="An input picture; repeatable.")]
Mask = Annotated[str, typer.Option(metavar="FILE", help="Change only where it is transparent.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the operation's id, and end.")]
Serve = Annotated[bool, typer.Option("--serve", help="Start a gateway for this call if none answers.")]


def generate(
    prompt: Prompt,
    model: Model = "",
    n: Count = 1,
    size: Size = "",
    seed: Seed = None,
    negative: Negative = "",
    input_: Inputs = [],  # noqa: B006 - typer reads it, nothing changes it
    mask: Mask = "",
    output: options.Output = "",
    no_wait: NoWait = False,
    open_: options.Open = False,
    json_: options.Json = None,
    serve: Serve = False,
    url: Url = "",
    profile: ProfileName = "",
) -> None:
    """Make a picture, save it, and print its path."""
    from imagegate.cli.client.files import destination
    from imagegate.cli.client.order import ImageOrder

    with exit_statuses():
        where = destination(output)
        order = ImageOrder(
            prompt=_text(prompt),
            model=model,
            n=n,
            size=size,
            seed=seed,
            negative_prompt=negative,
            output_format=where.format,
            inputs=input_,
            mask=mask,
        )
    with gateway_or_served(url, profile, serve) as client:
        operation = _start(client, order)
        if no_wait:
            _print_started(client, operation, output, prints_json(json_))
        else:
            finish(client, operation, output, as_json=prints_json(json_), opens=open_)


def finish(client: "GatewayClient", operation: "Operation", output: str, *, as_json: bool, opens: bool = False) -> None:
    """Wait for an operation, and save and show its pictures. Raises CommandError."""
    from imagegate.cli.client.files import destination
    from imagegate.cli.client.result import deliver, print_json
    from imagegate.cli.client.waiting import require_pictures, wait

    come_back = come_back_command(client.connection, operation["id"], output)
    operation = wait(client, operation, come_back)
    if operation["images"]:  # a failed operation may have some of them
        deliver(client, operation, destination(output), come_back, as_json=as_json, opens=opens)
    elif as_json:
        print_json(operation)
    require_pictures(client, operation)


def come_back_command(where: Connection, operation_id: str, output: str) -> str:
    """The command that waits for an operation, and saves its pictures as this one would have."""
    to = f" -o {shlex.quote(output)}" if output else ""
    return f"{command()} operations wait{where.options} {operation_id}{to}"


def _start(client: "GatewayClient", order: "ImageOrder") -> "Operation":
    try:
        return order.start(client)
    except KeyboardInterrupt:
        remedy = f"Look whether the gateway has it: {command()} operations list{client.connection.options}"
        raise Interrupted(f"interrupted before the gateway answered. {remedy}") from None


def _print_started(client: "GatewayClient", operation: "Operation", output: str, as_json: bool) -> None:
    from imagegate.cli.client.result import print_json

    if as_json:
        print_json(operation)
    else:
        typer.echo(operation["id"])
    hint(f"Fetch its pictures with: {come_back_command(client.connection, operation['id'], output)}")


def _text(prompt: str) -> str:
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    if not text.strip():
        raise CommandError("The prompt is empty. Say what to draw.")
    return text
