"""Wait for an operation, with a line that says what happens to it."""

import sys
import time

from imagegate.cli.client.exits import GatewayUnreachable, Interrupted, OperationCancelled, OperationFailed, Throttled
from imagegate.cli.client.gateway import GatewayClient, retry_after
from imagegate.cli.client.states import Operation, describe
from imagegate.cli.progress import live_line
from imagegate.cli.sentences import command, hint, printable

_LONGEST_PAUSE = 3.0
"""Seconds between two polls, so that the line stays true."""
_FIRST_PAUSE, _SHARE = 0.5, 0.2
"""Seconds between the first polls, and later the part of the time waited: most states change at the beginning, while
the gateway's advice is when the picture may be there."""
_AWAY = 120.0
"""Seconds for which a gateway may not answer before the waiting ends."""


def wait(client: GatewayClient, operation: Operation, come_back: str) -> Operation:
    """Follow an operation to its end. Raises CommandError, Interrupted with `come_back`, a command, in its message."""
    if operation["done"]:
        return operation
    latest = [operation]
    if not sys.stderr.isatty():
        hint(f"Operation {operation['id']}: {describe(operation, time.time())}")
    try:
        with live_line(lambda: describe(latest[0], time.time())):
            return _poll(client, operation["id"], latest)
    except KeyboardInterrupt:
        raise Interrupted(f"operation {operation['id']} goes on. Come back with: {come_back}") from None
    except GatewayUnreachable as error:
        raise GatewayUnreachable(f"{error} The operation goes on there. Come back with: {come_back}") from None


def require_pictures(client: GatewayClient, operation: Operation) -> None:
    """Raise OperationFailed or OperationCancelled for an operation that has ended otherwise than with its pictures."""
    options, operation_id = client.connection.options, operation["id"]
    again = f"Try it again: {command()} operations retry{options} {operation_id}"
    if operation["state"] == "cancelled":
        raise OperationCancelled(f"operation {operation_id} was cancelled. {again}")
    if operation["state"] != "succeeded":
        error = operation["error"] or {"code": "failed", "message": "It failed."}
        raise OperationFailed(f"{printable(error['message'])} ({error['code']}, operation {operation_id}) {again}")


def _poll(client: GatewayClient, operation_id: str, latest: list[Operation]) -> Operation:
    path, began = f"/v1/operations/{operation_id}", time.monotonic()
    answered = began
    while True:
        try:
            response = client.send("GET", path)
        except GatewayUnreachable:
            if time.monotonic() - answered > _AWAY:
                raise
            time.sleep(1)
            continue
        except Throttled as throttled:
            time.sleep(throttled.seconds)
            continue
        answered, latest[0] = time.monotonic(), response.json()
        if latest[0]["done"]:
            return latest[0]
        time.sleep(_pause(retry_after(response.headers), answered - began))


def _pause(advised: float, waited: float) -> float:
    """Seconds until the next poll, `waited` seconds after the first."""
    return min(advised, _LONGEST_PAUSE, max(_FIRST_PAUSE, _SHARE * waited))
