"""The gateway, for as long as a command runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagegate.cli.client.connection import Connection, connect
from imagegate.cli.client.exits import CommandError, KeyRefused, exit_statuses
from imagegate.cli.sentences import hint

if TYPE_CHECKING:
    from imagegate.cli.client.gateway import GatewayClient


@contextmanager
def gateway(url: str, profile: str) -> "Iterator[GatewayClient]":
    """The gateway that the options name. Errors in the `with` block end the command with their exit status."""
    with exit_statuses(), client_of(connect(url, profile)) as client:
        yield client


@contextmanager
def gateway_or_served(url: str, profile: str, serve: bool) -> "Iterator[GatewayClient]":
    """The same, with `serve` one that is started for this call, unless one answers."""
    with exit_statuses():
        where = connect(url, profile)
        if serve and not answers(where):
            from imagegate.cli.served import served_for_a_call

            with served_for_a_call(where) as served, client_of(served) as client:
                yield client
        else:
            with client_of(where) as client:
                yield client
            if serve:
                hint(f"The studio of this gateway: {where.url}/")


def client_of(where: Connection) -> "GatewayClient":
    """A client of a gateway."""
    # Imported here, so that `imagegate --help` does not wait for an HTTP library.
    from imagegate.cli.client.gateway import GatewayClient

    return GatewayClient(where)


def answers(where: Connection) -> bool:
    """Whether an imagegate answers, though it may refuse the key."""
    with client_of(where) as client:
        try:
            client.get("/v1/usage")
        except KeyRefused:
            return True
        except CommandError:
            return False
    return True
