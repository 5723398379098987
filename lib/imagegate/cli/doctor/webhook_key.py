"""The key from which the secrets of webhooks are derived."""

from collections.abc import Iterator

from imagegate.adapters.ssm_webhook_key import SsmWebhookKey
from imagegate.cli.doctor.finding import Check, Finding, error, ok, skipped
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.target import LOCAL_STAGE
from imagegate.domain.access.encryption import KEY_BYTES
from imagegate.domain.errors import Unreachable
from imagegate.settings import of_stage


def run(subject: Subject) -> Iterator[Finding]:
    """Whether it is there and whole. The first webhook, or `keys create`, makes it."""
    name = of_stage(subject.stage or LOCAL_STAGE, {}).webhook_key
    try:
        key = SsmWebhookKey(subject.aws("ssm"), name, makes=False)()
    except Unreachable:
        yield skipped(f"{name} is not there yet; the first webhook makes it.")
        return
    except ValueError:
        key = b""
    if len(key) == KEY_BYTES:
        yield ok(f"{name} is there.")
    else:
        remedy = f"Delete it (aws ssm delete-parameter --name {name}); a new one changes every webhook's secret."
        yield error(f"{name} is damaged, so no webhook can be signed.", remedy)


CHECK = Check(name="webhook key", run=run, needs=("stack", "embedded AWS"))
