"""Whether alarms reach a person."""

from collections.abc import Iterator

from imagegate.adapters.clock import SystemClock
from imagegate.cli.deploy.account import alarm_warnings
from imagegate.cli.deploy.stack import Formation
from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject

TOPIC = "AlarmTopic"


def run(subject: Subject) -> Iterator[Finding]:
    """The address of AlarmEmail, and whether its owner has confirmed."""
    address = subject.stack.parameters.get("AlarmEmail", "")
    resources = Formation(subject.clients, SystemClock()).resources(subject.stack)
    topic = next((each.get("PhysicalResourceId") for each in resources if each["LogicalResourceId"] == TOPIC), None)
    found = alarm_warnings(subject.clients, topic, address)
    if not address:
        yield warning(found[0], f"Run: {subject.deploy} PARAMETERS='AlarmEmail=you@example.com'")
    elif found:
        yield error(" ".join(found), f"Confirm it. A new message is sent by: {subject.deploy}")
    else:
        yield ok(f"{address} gets the alarms.")


CHECK = Check(name="alarms", run=run, needs=("stack",))
