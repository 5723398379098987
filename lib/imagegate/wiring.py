"""The only place that names concrete adapters. Everything is made on first use and kept for the process."""

import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.domain.api_key import EVERYBODY, Principal
from imagegate.domain.delivery import Pace
from imagegate.domain.route import Routes
from imagegate.ports import (
    Admission,
    ApiKeys,
    Books,
    Clock,
    DeadLetters,
    EventBus,
    Expander,
    Http,
    ImageStore,
    Latencies,
    Listing,
    RequestRate,
    SigningSecret,
    Telemetry,
    WebhookKey,
    Workflow,
)
from imagegate.providers import registry
from imagegate.usecases.attach import Attach
from imagegate.usecases.authenticate import Authenticate, OnBehalf, everybody
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.delete import Delete
from imagegate.usecases.estimate import Estimate
from imagegate.usecases.expand import Expand
from imagegate.usecases.fail import Fail
from imagegate.usecases.link import Links, PictureLinks
from imagegate.usecases.plan import Plan
from imagegate.usecases.poll import Poll
from imagegate.usecases.publish import Publish
from imagegate.usecases.read import Read
from imagegate.usecases.redeliver import Redeliver
from imagegate.usecases.retry import Retry
from imagegate.usecases.revise import Revise
from imagegate.usecases.start import Start
from imagegate.usecases.submit import Submit
from imagegate.usecases.sweep import Sweep

if TYPE_CHECKING:
    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries
    from imagegate.adapters.dynamodb_stream import StreamReader
    from imagegate.adapters.event_tail import EventTail
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.sqs_webhooks import SqsWebhooks
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.adapters.webhook_targets import WebhookTargets
    from imagegate.usecases.deliver import Deliver
    from imagegate.usecases.intake import Intake

_clock = SystemClock()


def clock() -> Clock:
    """The time."""
    return _clock


@cache
def routes() -> Routes:
    """The route table."""
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
    return S3Images(s3_client(current.region), current.bucket, current.presign_seconds)


@cache
def workflow() -> Workflow:
    """The state machine."""
    from imagegate.adapters.step_functions_workflow import StepFunctionsWorkflow

    return StepFunctionsWorkflow(client("stepfunctions"), settings.current().state_machine_arn)


@cache
def bus() -> EventBus:
    """The event bus."""
    from imagegate.adapters.eventbridge_bus import EventBridgeBus

    current = settings.current()
    return EventBridgeBus(client("events"), current.bus, current.bucket, _clock.sleep)


def _dead_letters() -> DeadLetters:
    return dead_letters(client("sqs"), settings.current().dead_letters)


def dead_letters(client: Any, queue: str) -> "SqsDeadLetters":
    """The dead letters in a queue."""
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters

    return SqsDeadLetters(client, queue)


@cache
def _http() -> Http:
    from imagegate.adapters.http_upstream import HttpUpstream

    return HttpUpstream()


@cache
def providers() -> registry.Providers:
    """The upstreams."""
    current = settings.current()
    return registry.Providers(_http(), secrets(client("ssm"), current.secrets_path), current.upstream_base_urls)


def _expander() -> Expander | None:
    from imagegate.providers.expanders import NAME, ChatExpander, Endpoint

    current = settings.current()
    if current.expander == "none":
        return None
    url = current.upstream_base_urls.get(NAME, current.expander_url)
    endpoint = Endpoint(current.expander, url, current.expander_model, current.expander_secret)
    return ChatExpander(endpoint, _http(), secrets(client("ssm"), current.secrets_path))


@cache
def latencies() -> Latencies:
    """What is known of how long jobs take."""
    from imagegate.adapters.dynamodb_latencies import DynamoDBLatencies

    return DynamoDBLatencies(
        client("dynamodb"), settings.current().table, lambda name: registry.limits_of(name).expected_seconds
    )


@cache
def _admission() -> Admission:
    from imagegate.adapters.dynamodb_admission import DynamoDBAdmission

    return DynamoDBAdmission(
        client("dynamodb"),
        settings.current().table,
        lambda name: registry.limits_of(name).requests_per_minute,
        _clock.now,
    )


@cache
def _telemetry() -> Telemetry:
    from imagegate.adapters.emf_telemetry import EmfTelemetry

    return EmfTelemetry(_clock.now)


@cache
def _conclude() -> Conclude:
    from imagegate.adapters.pillow_pictures import PillowPictures
    from imagegate.usecases.keep import Keep

    keep = Keep(images(), _http(), PillowPictures())
    return Conclude(keep, providers(), _admission(), latencies(), _telemetry(), Revise(store(), _clock), _clock)


@cache
def _plan() -> Plan:
    return Plan(latencies(), registry.limits_of, _clock)


def api_keys(client: Any, table: str) -> ApiKeys:
    """The API keys in a table."""
    from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys

    return DynamoDBApiKeys(client, table)


def secrets(client: Any, path: str) -> "SsmSecrets":
    """The upstream credentials below an SSM path, for whoever sets them."""
    from imagegate.adapters.ssm_secrets import SsmSecrets

    return SsmSecrets(client, path)


def event_tail(client: Callable[[str], Any], stage: str, bus: str, pattern: Mapping[str, Any]) -> "EventTail":
    """A listener on a deployment's bus."""
    from imagegate.adapters.event_tail import EventTail

    return EventTail(client, stage, bus, pattern, _clock)


def authenticate() -> Callable[[str | None], Principal]:
    """Who makes a request, by what was presented."""
    current = settings.current()
    if current.access == "open":
        return everybody
    return Authenticate(api_keys(client("dynamodb"), current.table), _clock, current.key_cache_seconds)


def books(dynamodb: Any = None, table: str = "") -> Books:
    """What API keys have used: those of this deployment, or of another table."""
    from imagegate.adapters.dynamodb_books import DynamoDBBooks

    return DynamoDBBooks(dynamodb or client("dynamodb"), table or settings.current().table)


def request_rate() -> RequestRate:
    """How many requests a minute API keys have made."""
    from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate

    return DynamoDBRequestRate(client("dynamodb"), settings.current().table, _clock.now)


def signing_secret() -> SigningSecret | None:
    """The secret for signed links; `None` where every path is open."""
    from imagegate.adapters.dynamodb_signing_secret import DynamoDBSigningSecret

    current = settings.current()
    return None if current.access == "open" else DynamoDBSigningSecret(client("dynamodb"), current.table)


def start() -> Start:
    """The use case `start`."""
    return Start(store(), workflow(), routes(), _clock, settings.current().deadline_seconds, _expands())


def _expands() -> bool:
    return settings.current().expander != "none"


def expand() -> Expand:
    """The use case `expand`."""
    return Expand(store(), routes(), _expander(), _telemetry(), Revise(store(), _clock), _clock)


def intake() -> "Intake":
    """The use case `intake`."""
    from imagegate.adapters.sqs_requests import SqsRequests
    from imagegate.dialects import events
    from imagegate.usecases.intake import Intake

    queue = SqsRequests(client("sqs"), settings.current().intake_queue_url)
    return Intake(events.parse, attach(), start(), routes(), _intake_principal(), queue, _dead_letters(), _clock)


def _intake_principal() -> Callable[[], Principal]:
    current = settings.current()
    if current.intake_key == EVERYBODY:
        return lambda: Principal(EVERYBODY)
    return OnBehalf(api_keys(client("dynamodb"), current.table), _clock, current.intake_key)


def submit() -> Submit:
    """The use case `submit`."""
    revise = Revise(store(), _clock)
    return Submit(store(), images(), routes(), providers(), _admission(), _conclude(), poll(), _plan(), revise, _clock)


def poll() -> Poll:
    """The use case `poll`."""
    return Poll(store(), providers(), _conclude(), _plan(), Revise(store(), _clock), _clock)


def fail() -> Fail:
    """The use case `fail`."""
    return Fail(store(), Revise(store(), _clock), _clock)


def sweep() -> Sweep:
    """The use case `sweep`."""
    return Sweep(store(), workflow(), _telemetry(), Revise(store(), _clock), _clock)


def stream_reader() -> "StreamReader":
    """Reads the table's stream."""
    from imagegate.adapters.dynamodb_stream import StreamReader

    return StreamReader(_dead_letters(), _clock)


def publish() -> Publish:
    """The use case `publish`."""
    return Publish(bus(), _telemetry())


def read() -> Read:
    """The use case `read`."""
    return Read(store(), _clock, settings.current().operation_days)


def cancel() -> Cancel:
    """The use case `cancel`."""
    return Cancel(Revise(store(), _clock), workflow(), _clock)


def retry() -> Retry:
    """The use case `retry`."""
    return Retry(Revise(store(), _clock), workflow(), routes(), _clock)


def delete() -> Delete:
    """The use case `delete`."""
    return Delete(store(), images(), deliveries())


def estimate() -> Estimate:
    """The use case `estimate`."""
    return Estimate(routes(), latencies(), _expands())


def listing() -> Listing:
    """The lists of operations."""
    from imagegate.adapters.dynamodb_listing import DynamoDBListing

    return DynamoDBListing(client("dynamodb"), settings.current().table, _clock.now)


@cache
def links() -> Links:
    """What signs paths of the gateway."""
    return Links(signing_secret(), _clock)


def picture_links() -> PictureLinks:
    """Where pictures are to be found."""
    return PictureLinks(links(), settings.current().image_days)


@cache
def deliveries() -> "DynamoDBDeliveries":
    """What was announced to webhooks."""
    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries

    return DynamoDBDeliveries(client("dynamodb"), settings.current().table, _clock.now)


def webhook_key(make_client: Callable[[str], Any], name: str) -> WebhookKey:
    """The key for webhook secrets in an SSM parameter; SSM is not touched before it is needed."""

    @cache
    def key() -> bytes:
        from imagegate.adapters.ssm_webhook_key import SsmWebhookKey

        return SsmWebhookKey(make_client("ssm"), name)()

    return key


def webhook_targets(*, loopback: bool) -> "WebhookTargets":
    """Where webhooks may be sent to."""
    from imagegate.adapters.webhook_targets import WebhookTargets

    return WebhookTargets(loopback=loopback)


def webhook_queue() -> "SqsWebhooks":
    """What drives deliveries."""
    from imagegate.adapters.sqs_webhooks import SqsWebhooks

    return SqsWebhooks(client("sqs"), settings.current().webhook_queue_url)


def attach() -> Attach:
    """The use case `attach`."""
    current = settings.current()
    return Attach(webhook_targets(loopback=current.webhook_loopback), webhook_key(client, current.webhook_key))


def redeliver() -> Redeliver:
    """The use case `redeliver`."""
    return Redeliver(deliveries(), deliveries(), lambda *which: webhook_queue().put(*which))


def deliver() -> "Deliver":
    """The use case `deliver`."""
    from imagegate.adapters.http_webhooks import HttpWebhooks
    from imagegate.usecases.deliver import Deliver, Pictures, Signing

    current = settings.current()
    return Deliver(
        store(),
        deliveries(),
        deliveries(),
        _dead_letters(),
        HttpWebhooks(webhook_targets(loopback=current.webhook_loopback)),
        Signing(api_keys(client("dynamodb"), current.table), webhook_key(client, current.webhook_key)),
        Pictures(current.public_url, picture_links()),
        _clock,
        lambda: Pace(current.webhook_retry_scale, random.random()),  # noqa: S311 - spreads receivers, no secret
        current.operation_days * 86_400,
    )
