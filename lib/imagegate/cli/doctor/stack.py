"""The CloudFormation stack, and what it says of itself."""

from collections.abc import Iterator

from imagegate.cli.deploy.stack import StackStateError
from imagegate.cli.doctor.finding import Check, Finding, error, ok, warning
from imagegate.cli.doctor.subject import Subject

OUTPUTS = ("ApiUrl", "BucketName", "TableName", "StateMachineArn", "EventBusName", "WebhookQueueUrl")


def run(subject: Subject) -> Iterator[Finding]:
    """Whether it is there, whole and settled."""
    stack = subject.stack
    missing = [name for name in OUTPUTS if name not in stack.outputs]
    if stack.failed_first_try:
        yield error(f"{stack.name} was never complete ({stack.status}).", f"Run: {subject.deploy}")
        return
    try:
        stack.require_updatable(subject.stage)
    except StackStateError as state:
        yield error(str(state), "Do that, then run this again.")
        return
    if missing:
        yield error(f"{stack.name} lacks the outputs {', '.join(missing)}: an older version.", f"Run: {subject.deploy}")
    elif "ROLLBACK" in stack.status:
        yield warning(f"The last update of {stack.name} was undone ({stack.status}).", f"Run again: {subject.deploy}")
    else:
        yield ok(f"{stack.name} is {stack.status}; it answers at {stack.outputs['ApiUrl']}")


CHECK = Check(
    name="stack", run=run, needs=("credentials",), remedy="Deploy it (make deploy STAGE=…), or name another --stage."
)
