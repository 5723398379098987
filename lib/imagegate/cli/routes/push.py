"""Put a routes file in force in a deployment."""

import getpass

from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
from imagegate.cli.target import DeploymentTarget
from imagegate.deployment import Deployment
from imagegate.ports.storage import PushedRoutes
from imagegate.providers.routes_file import parse_routes


def push_text(store: DynamoDBRoutes, text: str, source: str, note: str = "") -> PushedRoutes | None:
    """Check the file and put it in force; `None` when it is already. Raises RoutesFileError or Conflict."""
    parse_routes(text, source)
    current = store.current()
    if (current.text if current else "") == text:
        return None
    return store.push(text, _person(), note, current)


def note_secrets(where: DeploymentTarget) -> frozenset[str]:
    """The names of the upstream credentials that are set, noted for the functions of the deployment."""
    names = frozenset(where.secrets().names())
    where.deployment.pushed_routes.note_secret_names(names)
    return names


def note_secrets_of(deployment: Deployment) -> None:
    """The same for a deployment at hand."""
    deployment.pushed_routes.note_secret_names(deployment.secrets.names())


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
