"""Whether the gateway answers."""

from collections.abc import Iterator

from imagegate.cli.client.connection import Connection
from imagegate.cli.client.exits import GatewayUnreachable, KeyRefused
from imagegate.cli.client.session import client_of
from imagegate.cli.doctor.finding import Check, Finding, error, ok, skipped
from imagegate.cli.doctor.subject import Subject
from imagegate.local.ports import HOST
from imagegate.local.state_folder import StateFolder


def run(subject: Subject) -> Iterator[Finding]:
    """Ask it for the caller's usage, which every key may."""
    assert subject.connection
    yield _asked(subject.connection)


def run_embedded(subject: Subject) -> Iterator[Finding]:
    """Whether what is served from the state folder runs; that it does not is no fault."""
    port = StateFolder(subject.state_dir).remembered_ports().get("ministack")
    if port is None:
        yield skipped(f"Nothing was ever served from {subject.state_dir}/.", "Start it: make run")
        return
    try:
        subject.fetch(f"http://{HOST}:{port}/")
    except Exception:
        yield skipped(f"What was served from {subject.state_dir}/ does not run.", "Start it: make run")
    else:
        yield ok(f"The embedded AWS answers at port {port}.")


def _asked(where: Connection) -> Finding:
    with client_of(where) as client:
        try:
            found = client.get("/v1/usage")
        except GatewayUnreachable as unreachable:
            return error(unreachable.what, unreachable.remedy)
        except KeyRefused as refused:
            return error(str(refused), f"Set IMAGEGATE_API_KEY, or run: imagegate login {where.url}")
    if "counted" not in found:
        return error(f"{where.url} is not an imagegate.", "Check the URL.")
    return ok(f"{where.url} answers, {'with this key' if found['key'] else 'and asks for no key'}.")


CHECK = Check(name="gateway", run=run, remedy="Check the URL.")
EMBEDDED = Check(name="embedded AWS", run=run_embedded)
