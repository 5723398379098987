"""What is examined: this machine, a deployment in AWS, or a gateway at a URL."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagegate.cli.client.connection import Connection
from imagegate.cli.target import DEFAULT_STATE, LOCAL_STAGE, DeploymentTarget, local_access, target
from imagegate.domain.errors import MisconfiguredError

if TYPE_CHECKING:
    from imagegate.cli.deploy.stack import CloudFormationStack


def fetch(url: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers (names in lower case) of a URL. Raises MisconfiguredError when it does not answer."""
    import httpx

    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost")}
    try:
        with httpx.Client(timeout=10, mounts=direct) as client:
            answer = client.get(url)
    except httpx.HTTPError as failure:
        raise MisconfiguredError(f"{url.partition('?')[0]} does not answer ({failure}).") from None
    return answer.status_code, answer.content, answer.headers


@dataclass(kw_only=True)
class Subject:
    """What is examined."""

    stage: str = ""
    """The deployment in AWS; empty for the others."""
    state_dir: Path = DEFAULT_STATE
    connection: Connection | None = None
    """The gateway at a URL; `None` for the others."""
    clients: Callable[[str], Any] = field(default_factory=lambda: _aws_client)
    """Makes an AWS client of the deployment by the name of its service."""
    fetch: Callable[[str], tuple[int, bytes, Mapping[str, str]]] = fetch
    now: Callable[[], float] = time.time

    @property
    def local(self) -> bool:
        """True for this machine and what it serves."""
        return not self.stage and self.connection is None

    @property
    def stack_name(self) -> str:
        """Its CloudFormation stack."""
        return f"imagegate-{self.stage or LOCAL_STAGE}"

    @property
    def deploy(self) -> str:
        """The command that repairs what CloudFormation manages."""
        return "make run" if self.local else f"make deploy STAGE={self.stage}"

    @cached_property
    def target(self) -> DeploymentTarget:
        """The deployment, as other commands use it. Raises MisconfiguredError when there is none."""
        if self.local:
            return target("", True, self.state_dir)
        return DeploymentTarget(
            stage=self.stage, client=self.clients, options=target(self.stage, False, self.state_dir).options
        )

    @cached_property
    def stack(self) -> "CloudFormationStack":
        """Its CloudFormation stack. Raises MisconfiguredError when there is none."""
        from imagegate.adapters.clock import SystemClock
        from imagegate.cli.deploy.stack import Formation

        found = Formation(self.aws, SystemClock()).find(self.stack_name)
        if found is None:
            raise MisconfiguredError(f"There is no stack {self.stack_name} in this account and region.")
        return found

    def aws(self, service: str) -> Any:
        """A client of the deployment's AWS, embedded or not."""
        return local_access(self.state_dir).client(service) if self.local else self.clients(service)


def _aws_client(service: str) -> Any:
    from imagegate.adapters.aws import client

    return client(service)
