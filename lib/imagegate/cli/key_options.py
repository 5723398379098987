"""The options of `imagegate keys`."""

from typing import Annotated

import typer

from imagegate.cli.amounts import MOST, duration, lifetime, micro_dollars
from imagegate.dialects.operations.usage import LONGEST
from imagegate.domain.access.api_key import EVERYBODY
from imagegate.domain.webhooks.webhook import EVENTS

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Option(metavar="TEXT", help="Who or what the key is for.")]
Expires = Annotated[float | None, typer.Option(parser=lifetime, metavar="90d", help="After how long it stops working.")]
Models = Annotated[str, typer.Option(metavar="A,B", help="The models it may use; all by default.")]
Budget = Annotated[
    int | None, typer.Option(parser=micro_dollars, metavar="2.50", help="Dollars it may spend in a day.")
]
Owner = Annotated[str, typer.Option(metavar="ID", help=f"Share this key's operations (or '{EVERYBODY}'s).")]
Grace = Annotated[
    float,
    typer.Option(
        parser=duration, metavar="1h", show_default=False, help="How long the old secret still works; by default 1h."
    ),
]
Rpm = Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help="Requests per minute.")]
Concurrent = Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help="Operations at the same time.")]
PicturesPerDay = Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help="Pictures in a day.")]
Days = Annotated[int, typer.Option(min=1, max=LONGEST, help="How many days to show, today included.")]
A_DAY = 86_400.0
WebhookUrl = Annotated[str, typer.Option(metavar="URL", help="Where operations without a webhook are announced.")]
WebhookEvents = Annotated[str, typer.Option(metavar="A,B", help=f"Events, of {', '.join(EVENTS)}; by default all.")]
Off = Annotated[bool, typer.Option("--off", help="Announce only where operations name a webhook.")]
Rotate = Annotated[bool, typer.Option("--rotate", help="Make a new secret to sign with, and print it.")]
WebhookGrace = Annotated[
    float,
    typer.Option(
        parser=duration, metavar="1d", show_default=False, help="How long the old secret signs as well; by default 1d."
    ),
]
