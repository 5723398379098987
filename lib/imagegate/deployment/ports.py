"""The ports of a deployment, each with its adapter on AWS; those on its table and its bucket are in storage.py.

Every property imports its adapter itself and makes it when it is first used: a function loads only what it works with.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegate.adapters.dynamodb_stream import StreamReader
    from imagegate.adapters.http_upstream import HttpUpstream
    from imagegate.adapters.sqs_dead_letters import SqsDeadLetters
    from imagegate.adapters.sqs_requests import SqsRequests
    from imagegate.adapters.sqs_webhooks import SqsWebhooks
    from imagegate.adapters.ssm_secrets import SsmSecrets
    from imagegate.adapters.webhook_targets import WebhookTargets
    from imagegate.ports.messaging import EventBus, WebhookKey, WebhookSender
    from imagegate.ports.runtime import Clock, Steps, Telemetry, Workflow
    from imagegate.settings import Settings


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
