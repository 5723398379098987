"""What several functions, or the command line, need."""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.ports.messaging import DeadLetters, WebhookKey
from imagegate.ports.runtime import Clock, Telemetry, Workflow
from imagegate.ports.storage import ApiKeys, ImageStore, Latencies, SigningSecret, UsageLedger
from imagegate.usecases.update import UpdateWithRetry

if TYPE_CHECKING:
    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries
    from imagegate.adapters.event_tail import EventTail
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.sqs_webhooks import SqsWebhooks
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.adapters.webhook_targets import WebhookTargets
    from imagegate.domain.request.route import Routes
    from imagegate.usecases.links import Links, PictureLinks

_clock = SystemClock()
INPUT_DAYS = 2
"""Days for which the bucket keeps what came with a request, as template.yaml says."""


def clock() -> Clock:
    """The time."""
    return _clock


@cache
def routes() -> "Routes":
    """The route table."""
    from imagegate.providers import registry

    return registry.routes()


@cache
def store() -> DynamoDBOperations:
    """The operations table."""
    current = settings.current()
    return DynamoDBOperations(client("dynamodb"), current.table, current.operation_days, _clock.now)


@cache
def images() -> ImageStore:
    """The picture bucket."""
    from imagegate.adapters.s3_images import S3Images, s3_client

    current = settings.current()
    days = {"images": current.image_days, "inputs": INPUT_DAYS}
    return S3Images(s3_client(current.region), current.bucket, current.presign_seconds, days)


@cache
def workflow() -> Workflow:
    """The state machine."""
    from imagegate.adapters.step_functions_workflow import StepFunctionsWorkflow

    return StepFunctionsWorkflow(client("stepfunctions"), settings.current().state_machine_arn)


@cache
def latencies() -> Latencies:
    """What is known of how long jobs take."""
    from imagegate.adapters.dynamodb_latencies import DynamoDBLatencies
    from imagegate.providers import registry

    return DynamoDBLatencies(
        client("dynamodb"), settings.current().table, lambda name: registry.limits_of(name).expected_seconds
    )


@cache
def telemetry() -> Telemetry:
    """Figures for whoever runs the deployment."""
    from imagegate.adapters.emf_telemetry import EmfTelemetry

    return EmfTelemetry(_clock.now)


def api_keys(client: Any, table: str) -> ApiKeys:
    """The API keys in a table."""
    from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys

    return DynamoDBApiKeys(client, table)


def secrets(client: Any, path: str) -> "SsmSecrets":
    """The upstream credentials below an SSM path, for whoever sets them."""
    from imagegate.adapters.ssm_secrets import SsmSecrets

    return SsmSecrets(client, path)


def usage_ledger(dynamodb: Any = None, table: str = "") -> UsageLedger:
    """What API keys have used: those of this deployment, or of another table."""
    from imagegate.adapters.dynamodb_ledger import DynamoDBUsageLedger

    return DynamoDBUsageLedger(dynamodb or client("dynamodb"), table or settings.current().table)


@cache
def deliveries() -> "DynamoDBDeliveries":
    """What was announced to webhooks."""
    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries

    return DynamoDBDeliveries(client("dynamodb"), settings.current().table, _clock.now)


def signing_secret() -> SigningSecret | None:
    """The secret for signed links; `None` where every path is open."""
    from imagegate.adapters.dynamodb_signing_secret import DynamoDBSigningSecret

    current = settings.current()
    return None if current.access == "open" else DynamoDBSigningSecret(client("dynamodb"), current.table)


@cache
def links() -> "Links":
    """What signs paths of the gateway."""
    from imagegate.usecases.links import Links

    return Links(signing_secret(), _clock)


def picture_links() -> "PictureLinks":
    """Where pictures are to be found."""
    from imagegate.usecases.links import PictureLinks

    return PictureLinks(links(), settings.current().image_days)


def dead_letters(client: Any, queue: str) -> "SqsDeadLetters":
    """The dead letters in a queue."""
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters

    return SqsDeadLetters(client, queue)


def own_dead_letters() -> DeadLetters:
    """The dead letters of the running function."""
    return dead_letters(client("sqs"), settings.current().dead_letters)


def webhook_key(make_client: Callable[[str], Any], name: str, *, makes: bool = True) -> WebhookKey:
    """The key for webhook secrets in an SSM parameter; SSM is not touched before it is needed.

    `makes`: where there is none yet, it is made.
    """

    @cache
    def key() -> bytes:
        from imagegate.adapters.ssm_webhook_key import SsmWebhookKey

        return SsmWebhookKey(make_client("ssm"), name, makes=makes)()

    return key


def webhook_targets(*, loopback: bool, own: Collection[str]) -> "WebhookTargets":
    """Where webhooks may be sent to; `own`: URLs of the deployment itself, which may not."""
    from imagegate.adapters.webhook_targets import WebhookTargets

    return WebhookTargets(loopback=loopback, own=own)


def own_webhook_targets() -> "WebhookTargets":
    """Where this deployment may send webhooks to."""
    current = settings.current()
    own = (current.public_url, current.api_url, current.long_hold_url)
    return webhook_targets(loopback=current.webhook_loopback, own=own)


def webhook_queue() -> "SqsWebhooks":
    """What drives deliveries."""
    from imagegate.adapters.sqs_webhooks import SqsWebhooks

    return SqsWebhooks(client("sqs"), settings.current().webhook_queue_url)


def expands() -> bool:
    """True where prompts can be expanded."""
    return settings.current().expander != "none"


def event_tail(client: Callable[[str], Any], stage: str, bus: str, pattern: Mapping[str, Any]) -> "EventTail":
    """A listener on a deployment's bus."""
    from imagegate.adapters.event_tail import EventTail

    return EventTail(client, stage, bus, pattern, _clock)


def update_with_retry() -> UpdateWithRetry:
    """Writes operations."""
    return UpdateWithRetry(store(), _clock)
