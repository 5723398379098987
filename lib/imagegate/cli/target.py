"""Which deployment a command works on: one in AWS, or the embedded one."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegate.domain.errors import MisconfiguredError
from imagegate.settings import upstream_secrets_path

if TYPE_CHECKING:
    from imagegate.adapters.event_tail import EventTail
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.local.stack.root_access import RootAccess
    from imagegate.ports.storage import ApiKeys, UsageLedger
from imagegate.ports.messaging import WebhookKey, WebhookPolicy

DEFAULT_STAGE = "dev"
DEFAULT_STATE = Path(".imagegate")
LOCAL_STAGE = "local"
"""The Stage of what `imagegate serve` runs."""
Stage = Annotated[str, typer.Option(help="The deployment: Stage of its template.")]
Local = Annotated[bool, typer.Option("--local", help="What `imagegate serve` runs on this machine, not AWS.")]
StateDir = Annotated[Path, typer.Option(help="With --local: the folder that it was started with.", file_okay=False)]


@dataclass(frozen=True, slots=True)
class DeploymentTarget:
    """A deployment."""

    stage: str
    client: Callable[[str], Any]
    """Makes an AWS client by the name of its service."""
    local: bool = False
    """It is the embedded one."""
    options: str = ""
    """What to add to a command so that it works on this deployment, a blank first."""

    def keys(self) -> "ApiKeys":
        """Its API keys. Raises MisconfiguredError when it is not there."""
        from imagegate.wiring import shared

        return shared.api_keys(self.client("dynamodb"), self._table())

    def usage_ledger(self) -> "UsageLedger":
        """What its API keys have used. Raises MisconfiguredError when it is not there."""
        from imagegate.wiring import shared

        return shared.usage_ledger(self.client("dynamodb"), self._table())

    def _table(self) -> str:
        from imagegate.adapters.cloudformation_outputs import outputs

        return outputs(self.client("cloudformation"), f"imagegate-{self.stage}")["TableName"]

    def tail(self, pattern: Mapping[str, Any]) -> "EventTail":
        """Its events that match an EventBridge pattern. Raises MisconfiguredError when it is not there."""
        from imagegate.wiring import shared

        return shared.event_tail(self.client, self.stage, self._outputs()["EventBusName"], pattern)

    def refused(self) -> "SqsDeadLetters":
        """Its requests by event that were refused. Raises MisconfiguredError when it is not there, or takes none."""
        from imagegate.wiring import shared

        queue = self._outputs().get("UnacceptedQueueUrl")
        if queue is None:
            raise MisconfiguredError("This deployment takes no requests by event. Deploy it with IntakeKey.")
        return shared.dead_letters(self.client("sqs"), queue)

    def secrets(self) -> "SsmSecrets":
        """Its upstream credentials."""
        from imagegate.wiring import shared

        return shared.secrets(self.client("ssm"), upstream_secrets_path(self.stage))

    def webhook_key(self) -> "WebhookKey":
        """Its key for webhook secrets."""
        from imagegate.wiring import shared

        return shared.webhook_key(self.client, f"/imagegate/{self.stage}/webhooks")

    def webhook_targets(self) -> "WebhookPolicy":
        """Where it may send webhooks to."""
        from imagegate.wiring import shared

        return shared.webhook_targets(loopback=self.local, own=[self._outputs()["ApiUrl"]])

    def _outputs(self) -> Mapping[str, str]:
        from imagegate.adapters.cloudformation_outputs import outputs

        return outputs(self.client("cloudformation"), f"imagegate-{self.stage}")


def target(stage: str, local: bool, state_dir: Path) -> DeploymentTarget:
    """The deployment that the options name. Raises MisconfiguredError when nothing runs in `state_dir`."""
    if local:
        return DeploymentTarget(
            LOCAL_STAGE, local_access(state_dir).client, local=True, options=local_options(state_dir)
        )
    from imagegate.adapters.aws import client

    return DeploymentTarget(stage, client, options="" if stage == DEFAULT_STAGE else f" --stage {shlex.quote(stage)}")


def local_options(state_dir: Path) -> str:
    """What to add to a command so that it works on what is served from `state_dir`, a blank first."""
    return " --local" + ("" if state_dir == DEFAULT_STATE else f" --state-dir {shlex.quote(str(state_dir))}")


def local_access(state_dir: Path) -> "RootAccess":
    """The root key of what is served from `state_dir`. Raises MisconfiguredError when nothing ever was."""
    from imagegate.local.stack.ports import HOST
    from imagegate.local.stack.root_access import RootAccess
    from imagegate.local.state_folder import StateFolder

    folder = StateFolder(state_dir)
    port = folder.remembered_ports().get("ministack")
    if port is None:
        raise MisconfiguredError(
            f"Nothing was ever served from {state_dir}/. Start 'imagegate serve', or name its --state-dir."
        )
    return RootAccess(f"http://{HOST}:{port}", folder.root_credentials())
