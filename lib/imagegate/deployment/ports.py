"""The ports of a deployment, each with its adapter on AWS.

Every property imports its adapter itself and makes it when it is first used: a function loads only what it works with.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries
    from imagegate.adapters.dynamodb_operations import DynamoDBOperations
    from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
    from imagegate.adapters.dynamodb_stream import StreamReader
    from imagegate.adapters.http_upstream import HttpUpstream
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.sqs_requests import SqsRequests
    from imagegate.adapters.sqs_webhooks import SqsWebhooks
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.adapters.webhook_targets import WebhookTargets
    from imagegate.ports.messaging import EventBus, Receivers, WebhookKey, WebhookSender
    from imagegate.ports.runtime import Clock, Steps, Telemetry, Workflow
    from imagegate.ports.storage import (
        Admission,
        ApiKeys,
        Claims,
        ImageStore,
        Latencies,
        Listing,
        RequestRate,
        SigningSecret,
        UsageLedger,
    )
    from imagegate.providers.live_routes import RouteTables
    from imagegate.settings import Settings

_EXPECTED_SECONDS = 20.0
"""How long a job takes at a provider that no known route table has any more."""
INPUT_DAYS = 2
"""Days for which the bucket keeps the pictures that came with a request, as template.yaml says."""


class AwsPorts:
    """Each property is a port. A part given to the constructor takes the place of the property of that name."""

    def __init__(self, settings: Settings, client: Callable[..., Any], **parts: Any) -> None:
        """`client`: makes an AWS client by the name of its service.

        Raises TypeError for a part that has the name of no property.
        """
        self.settings = settings
        self._client = client
        for name in parts:
            if not isinstance(getattr(type(self), name, None), cached_property):
                raise TypeError(f"A deployment has no part '{name}'.")
        vars(self).update(parts)

    @property
    def _table(self) -> tuple[Any, str]:
        return self._client("dynamodb"), self.settings.table

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        from imagegate.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def telemetry(self) -> Telemetry:
        """Metrics, for the operator of the deployment."""
        from imagegate.adapters.emf_telemetry import EmfTelemetry

        return EmfTelemetry(self.clock.now)

    @cached_property
    def store(self) -> DynamoDBOperations:
        """The operations."""
        from imagegate.adapters.dynamodb_operations import DynamoDBOperations

        return DynamoDBOperations(*self._table, self.settings.operation_days, self.clock.now)

    @cached_property
    def claims(self) -> Claims:
        """Which operations a repeated request may belong to."""
        from imagegate.adapters.dynamodb_claims import DynamoDBClaims

        return DynamoDBClaims(*self._table)

    @cached_property
    def listing(self) -> Listing:
        """The lists of operations."""
        from imagegate.adapters.dynamodb_listing import DynamoDBListing

        return DynamoDBListing(*self._table, self.clock.now)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """The API keys."""
        from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys

        return DynamoDBApiKeys(*self._table)

    @cached_property
    def usage_ledger(self) -> UsageLedger:
        """What API keys have used of their limits."""
        from imagegate.adapters.dynamodb_ledger import DynamoDBUsageLedger

        return DynamoDBUsageLedger(*self._table)

    @cached_property
    def request_rate(self) -> RequestRate:
        """How many requests a minute API keys have made."""
        from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate

        return DynamoDBRequestRate(*self._table, self.clock.now)

    @cached_property
    def signing_secret(self) -> SigningSecret | None:
        """The secret that signs links; `None` where every path is open."""
        from imagegate.adapters.dynamodb_signing_secret import DynamoDBSigningSecret

        return None if self.settings.access == "open" else DynamoDBSigningSecret(*self._table)

    @cached_property
    def latencies(self) -> Latencies:
        """How long the jobs of each provider and model have taken."""
        from imagegate.adapters.dynamodb_latencies import DynamoDBLatencies

        def expected(provider: str) -> float:
            limits = self.route_tables.entry_limits(provider)
            return limits.expected_seconds if limits else _EXPECTED_SECONDS

        return DynamoDBLatencies(*self._table, expected)

    @cached_property
    def admission(self) -> Admission:
        """Which providers may be asked at this moment."""
        from imagegate.adapters.dynamodb_admission import DynamoDBAdmission

        def per_minute(provider: str) -> int | None:
            limits = self.route_tables.entry_limits(provider)
            return limits.requests_per_minute if limits else None

        return DynamoDBAdmission(*self._table, per_minute, self.clock.now)

    @cached_property
    def pushed_routes(self) -> DynamoDBRoutes:
        """The routes files that were pushed."""
        from imagegate.adapters.dynamodb_routes import DynamoDBRoutes

        return DynamoDBRoutes(*self._table)

    @cached_property
    def route_tables(self) -> RouteTables:
        """The route tables: the one in force, and those that operations began with."""
        from imagegate.providers.live_routes import RouteTables

        return RouteTables(self.pushed_routes, self.clock, self.settings.key_cache_seconds)

    @cached_property
    def deliveries(self) -> DynamoDBDeliveries:
        """The deliveries to webhooks, and which receivers are disabled."""
        from imagegate.adapters.dynamodb_deliveries import DynamoDBDeliveries

        return DynamoDBDeliveries(*self._table, self.clock.now)

    @cached_property
    def receivers(self) -> Receivers:
        """Whose turn it is to send to a receiver, and which receivers are paused."""
        from imagegate.adapters.dynamodb_receivers import DynamoDBReceivers

        return DynamoDBReceivers(*self._table, self.clock.now)

    @cached_property
    def images(self) -> ImageStore:
        """The bucket of pictures."""
        from imagegate.adapters.s3_images import S3Images, s3_client

        settings = self.settings
        days = {"images": settings.image_days, "inputs": INPUT_DAYS}
        return S3Images(lambda: s3_client(settings.region), settings.bucket, settings.presign_seconds, days)

    @cached_property
    def workflow(self) -> Workflow:
        """The state machine."""
        from imagegate.adapters.step_functions_workflow import StepFunctionsWorkflow

        return StepFunctionsWorkflow(self._client("stepfunctions"), self.settings.state_machine_arn)

    @cached_property
    def steps(self) -> Steps | None:
        """Steps without an execution; `None` for functions that have none taken."""
        from imagegate.adapters.lambda_steps import LambdaSteps

        function = self.settings.submit_function
        return LambdaSteps(self._client("lambda"), function) if function else None

    @cached_property
    def bus(self) -> EventBus:
        """The event bus."""
        from imagegate.adapters.eventbridge_bus import EventBridgeBus

        return EventBridgeBus(self._client("events"), self.settings.bus, self.settings.bucket, self.clock.sleep)

    @cached_property
    def stream_reader(self) -> StreamReader:
        """Reads the changes in a batch of the table's stream."""
        from imagegate.adapters.dynamodb_stream import StreamReader

        return StreamReader(self.dead_letters, self.clock)

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        """The queue of messages that this function cannot handle."""
        from imagegate.adapters.sqs_dead_letters import SqsDeadLetters

        return SqsDeadLetters(self._client("sqs"), self.settings.dead_letters)

    @cached_property
    def intake_queue(self) -> SqsRequests:
        """The queue of requests that came as events."""
        from imagegate.adapters.sqs_requests import SqsRequests

        return SqsRequests(self._client("sqs"), self.settings.intake_queue_url)

    @cached_property
    def webhook_queue(self) -> SqsWebhooks:
        """The queue that drives deliveries."""
        from imagegate.adapters.sqs_webhooks import SqsWebhooks

        return SqsWebhooks(self._client("sqs"), self.settings.webhook_queue_url)

    @cached_property
    def webhook_key(self) -> WebhookKey:
        """The key for webhook secrets, made when it is first needed; SSM is not called before."""
        return self._webhook_key(makes=True)

    @cached_property
    def existing_webhook_key(self) -> WebhookKey:
        """The same for a function that may read it only."""
        return self._webhook_key(makes=False)

    def _webhook_key(self, *, makes: bool) -> WebhookKey:
        @cache
        def key() -> bytes:
            from imagegate.adapters.ssm_webhook_key import SsmWebhookKey

            return SsmWebhookKey(self._client("ssm"), self.settings.webhook_key, makes=makes)()

        return key

    @cached_property
    def webhook_targets(self) -> WebhookTargets:
        """Where webhooks may be sent to: not to the deployment itself."""
        from imagegate.adapters.webhook_targets import WebhookTargets

        settings = self.settings
        own = (settings.public_url, settings.api_url, settings.long_hold_url)
        return WebhookTargets(loopback=settings.webhook_loopback, own=own)

    @cached_property
    def webhook_sender(self) -> WebhookSender:
        """Sends webhooks."""
        from imagegate.adapters.http_webhooks import HttpWebhooks

        return HttpWebhooks(self.webhook_targets)

    @cached_property
    def secrets(self) -> SsmSecrets:
        """The credentials of upstreams, read one by one."""
        from imagegate.adapters.ssm_secrets import SsmSecrets

        return SsmSecrets(lambda: self._client("ssm"), self.settings.secrets_path, one_by_one=True)

    @cached_property
    def http(self) -> HttpUpstream:
        """HTTP to upstreams."""
        from imagegate.adapters.http_upstream import HttpUpstream

        return HttpUpstream()
