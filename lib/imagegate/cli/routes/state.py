"""Which models and providers can be used, and what is missing, for the commands that list them."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from imagegate.cli.routes.options import deployment_of, read_table
from imagegate.cli.routes.push import note_secrets
from imagegate.domain.request.route import Route, Target
from imagegate.ports.upstreams import Secrets
from imagegate.providers.availability import missing_secrets
from imagegate.providers.registry import RouteTable


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesState:
    """A table, and the credentials that are set where it is used."""

    table: RouteTable
    secret_names: Collection[str]
    secrets: Secrets
    options: str
    """What to add to a command about the deployment, with a blank in front."""

    def missing(self, target: Target) -> tuple[str, ...]:
        """The secrets of which one has to be set before the target can be asked."""
        return missing_secrets(self.table, target.provider, target.model, self.secret_names)

    def lacks(self, target: Target) -> str:
        """The same in words; empty if nothing is missing."""
        names = self.missing(target)
        return f"needs {' or '.join(names)}" if names else ""

    def is_available(self, route: Route) -> bool:
        """Whether one of the model's providers can be asked."""
        return any(not self.missing(target) for target in route.targets)


class Environment:
    """Credentials from the environment of the command, for a file that no deployment uses."""

    def get(self, name: str) -> str | None:
        """The variable of that name."""
        return os.environ.get(name)


def read_state(routes: Path | None, stage: str | None, local: bool, state_dir: Path) -> RoutesState:
    """Of the deployment that the options name, or of a routes file with the credentials of the environment.

    Raises InvalidRequest, MisconfiguredError.
    """
    where = deployment_of(stage, local, state_dir)
    if where is None:
        return RoutesState(
            table=read_table(routes), secret_names=os.environ, secrets=Environment(), options=" --stage …"
        )
    names = note_secrets(where)
    return RoutesState(
        table=where.deployment.route_tables.current(),
        secret_names=names,
        secrets=where.secrets(),
        options=where.options,
    )
