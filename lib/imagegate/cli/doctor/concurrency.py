"""How many functions the account may run at once."""

from collections.abc import Iterator

from imagegate.cli.deploy.account import quota_warnings, reserved_by
from imagegate.cli.deploy.parameters import read_template
from imagegate.cli.doctor.finding import Check, Finding, ok, warning
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.serve import SOURCE
from imagegate.domain.errors import MisconfiguredError


def run(subject: Subject) -> Iterator[Finding]:
    """The quota, beside what the deployment's parameters (or the template's defaults) need."""
    defaults = {name: entry.default for name, entry in read_template(SOURCE / "template.yaml").parameters.items()}
    try:
        deployed = subject.stack.parameters
    except MisconfiguredError:
        deployed = {}
    found = quota_warnings(subject.clients, defaults | dict(deployed), reserved_by(deployed))
    yield from (warning(line, "Ask AWS for a larger quota: docs/deploy.md#quotas-to-ask-for") for line in found)
    if not found:
        yield ok("The account's concurrency is enough for the parameters.")


CHECK = Check(name="concurrency", run=run, needs=("credentials",))
