"""The ports of `make run`."""

from collections.abc import Iterator

from imagegate.cli.client.connection import LOCAL_URL, Connection
from imagegate.cli.client.session import answers
from imagegate.cli.doctor.finding import Check, Finding, error, ok
from imagegate.cli.doctor.subject import Subject
from imagegate.local.ports import PortTaken, listen
from imagegate.local.stack.settings import FRONT_DOOR_PORT, LONG_HOLD_PORT, MINISTACK_PORT, UPSTREAMS_PORT

GIVING_WAY = (MINISTACK_PORT, UPSTREAMS_PORT, LONG_HOLD_PORT)


def run(subject: Subject, port: int = FRONT_DOOR_PORT) -> Iterator[Finding]:
    """Whether the gateway's port is free, or an imagegate has it. The others give way when they are taken."""
    url = LOCAL_URL.replace(str(FRONT_DOOR_PORT), str(port))
    if _is_free(port):
        taken = [str(other) for other in GIVING_WAY if not _is_free(other)]
        others = f"; {', '.join(taken)} are taken, so that other ones will be used" if taken else ""
        yield ok(f"Port {port} is free{others}.")
    elif answers(Connection(url=url)):
        yield ok(f"A gateway serves at {url}.")
    else:
        remedy = f"Stop that program ('lsof -i :{port}' names it), or use 'imagegate serve --port'."
        yield error(f"Another program has port {port}.", remedy)


def _is_free(port: int) -> bool:
    try:
        listen(port).close()
    except PortTaken:
        return False
    return True


CHECK = Check(name="ports", run=run)
