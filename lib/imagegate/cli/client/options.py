"""Options that several commands of a gateway's user have."""

from typing import Annotated

import typer

Json = Annotated[bool | None, typer.Option("--json/--no-json", help="JSON; by default when piped.", show_default=False)]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE|DIR", help="Where the pictures go.", show_default=False)
]
Open = Annotated[bool, typer.Option("--open", help="Open the first picture.")]
OperationId = Annotated[str, typer.Argument(metavar="ID", help="The operation's id.")]
