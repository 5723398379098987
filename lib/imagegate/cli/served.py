"""A gateway that runs for one call: what `imagegate generate --serve` starts."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagegate.cli.client.connection import LOCAL_URL, Connection
from imagegate.cli.client.exits import CommandError
from imagegate.cli.sentences import command, hint, with_remedy
from imagegate.cli.target import DEFAULT_STATE

if TYPE_CHECKING:
    from imagegate.local.stack.stack import Stack


@contextmanager
def served_for_a_call(where: Connection, state_dir: Path = DEFAULT_STATE) -> Iterator[Connection]:
    """Serve the embedded gateway at the address of `where`, on this machine. Raises CommandError."""
    from imagegate.cli.serve import stack_settings
    from imagegate.cli.serve_screen import ServeScreen
    from imagegate.domain.errors import ImagegateError
    from imagegate.local.ports import first_free
    from imagegate.local.stack.stack import Stack, StackError

    if not where.is_local:
        raise CommandError(f"--serve starts a gateway on this machine, and {where.url} is elsewhere. Leave one out.")
    screen = ServeScreen(state_dir, stderr=True)
    port = first_free(urlsplit(where.url).port or 80)  # another program may have it
    settings = stack_settings(port, state_dir, False, 2.0, screen)
    stack = Stack(replace(settings, parameters={**settings.parameters, "Access": "open"}))
    try:
        stack.start()
        _push_routes(stack)
        yield Connection(url=stack.base_url, source="--serve")
    except (StackError, ImagegateError) as error:
        raise error if isinstance(error, CommandError) else CommandError(with_remedy(error)) from error
    finally:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut the stop short
        stack.stop()
        signal.signal(signal.SIGINT, before)
        hint(f"The gateway has stopped; its pictures are kept in {state_dir}/. {_again()}")


def _again() -> str:
    return f"'make run' or '{command()} serve' starts it again, with its studio at {LOCAL_URL}/"


def _push_routes(stack: "Stack") -> None:
    """Put imagegate.toml of this folder in force, as `imagegate serve` does."""
    from imagegate.cli.routes.options import default_file, read_text
    from imagegate.cli.routes.push import push_text
    from imagegate.cli.target import LOCAL_STAGE
    from imagegate.deployment import Deployment
    from imagegate.settings import of_stage

    deployment = Deployment(of_stage(LOCAL_STAGE, stack.outputs, local=True), stack.client)
    if path := default_file():
        push_text(deployment.pushed_routes, read_text(path), str(path))
