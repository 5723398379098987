"""Which deployment a command works on: one in AWS, or the embedded one."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegate.domain.errors import MisconfiguredError
from imagegate.settings import of_stage

if TYPE_CHECKING:
    from imagegate.adapters.event_tail import EventTail
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.deployment import Deployment
    from imagegate.local.stack.root_access import RootAccess

DEFAULT_STAGE = "dev"
DEFAULT_STATE = Path(".imagegate")
LOCAL_STAGE = "local"
"""The Stage of what `imagegate serve` runs."""
Stage = Annotated[str, typer.Option(metavar="NAME", help="The deployment: Stage of its template.")]
Local = Annotated[bool, typer.Option("--local", help="What `serve` runs on this machine, not AWS.")]
StateDir = Annotated[
    Path, typer.Option(metavar="DIR", help="With --local: the state folder of `serve`.", file_okay=False)
]


@dataclass(frozen=True, kw_only=True)
class DeploymentTarget:
    """The deployment that a command works on."""

    stage: str
    client: Callable[[str], Any]
    """Makes an AWS client by the name of its service."""
    local: bool = False
    """True for the embedded one."""
    options: str = ""
    """What to add to a command so that it works on this deployment, with a blank in front."""

    @cached_property
    def deployment(self) -> "Deployment":
        """Its use cases and ports. Raises MisconfiguredError when it does not exist."""
        from imagegate.adapters.cloudformation_outputs import outputs
        from imagegate.deployment import Deployment

        found = outputs(self.client("cloudformation"), f"imagegate-{self.stage}")
        return Deployment(of_stage(self.stage, found, local=self.local), self.client)

    def tail(self, pattern: Mapping[str, Any]) -> "EventTail":
        """Its events that match an EventBridge pattern. Raises MisconfiguredError when it does not exist."""
        from imagegate.adapters.event_tail import EventTail

        return EventTail(self.client, self.stage, self.deployment.settings.bus, pattern, self.deployment.clock)

    def refused(self) -> "SqsDeadLetters":
        """Its refused requests by event. Raises MisconfiguredError when it does not exist, or accepts no events."""
        if not self.deployment.settings.dead_letters:
            raise MisconfiguredError("This deployment takes no requests by event. Deploy it with IntakeKey.")
        return self.deployment.dead_letters

    def secrets(self) -> "SsmSecrets":
        """Its upstream credentials, which may be set before its first deployment."""
        from imagegate.deployment import Deployment

        return Deployment(of_stage(self.stage, {}, local=self.local), self.client).secrets


def target(stage: str, local: bool, state_dir: Path) -> DeploymentTarget:
    """The deployment that the options name. Raises MisconfiguredError when nothing runs in `state_dir`."""
    if local:
        return DeploymentTarget(
            stage=LOCAL_STAGE, client=local_access(state_dir).client, local=True, options=local_options(state_dir)
        )
    from imagegate.adapters.aws import client

    return DeploymentTarget(
        stage=stage, client=client, options="" if stage == DEFAULT_STAGE else f" --stage {shlex.quote(stage)}"
    )


def local_options(state_dir: Path) -> str:
    """What to add to a command so that it works on what is served from `state_dir`, a blank first."""
    return " --local" + ("" if state_dir == DEFAULT_STATE else f" --state-dir {shlex.quote(str(state_dir))}")


def local_access(state_dir: Path) -> "RootAccess":
    """The root key of what is served from `state_dir`. Raises MisconfiguredError when nothing ever was."""
    from imagegate.local.ports import HOST
    from imagegate.local.stack.root_access import RootAccess
    from imagegate.local.state_folder import StateFolder

    folder = StateFolder(state_dir)
    port = folder.remembered_ports().get("ministack")
    if port is None:
        raise MisconfiguredError(
            f"Nothing was ever served from {state_dir}/. Start 'imagegate serve', or name its --state-dir."
        )
    return RootAccess(f"http://{HOST}:{port}", folder.root_credentials())
