"""What serves requests, whether they come over HTTP or as events."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.domain.access.api_key import EVERYBODY, Principal
from imagegate.ports.storage import Listing, RequestRate
from imagegate.usecases.authenticate import Authenticate, OnBehalf, everybody
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.delete import Delete
from imagegate.usecases.estimate import Estimate
from imagegate.usecases.intake import Intake
from imagegate.usecases.links import HopLinks
from imagegate.usecases.read import Read
from imagegate.usecases.redeliver import Redeliver
from imagegate.usecases.retry import Retry
from imagegate.usecases.start import Start
from imagegate.usecases.webhook_choice import ResolveWebhook
from imagegate.wiring import shared

if TYPE_CHECKING:
    from imagegate.adapters.sqs_requests import SqsRequests


def authenticate() -> Callable[[str | None], Principal]:
    """Who makes a request, by what was presented."""
    return everybody if settings.current().access == "open" else _authenticate()


@cache
def _authenticate() -> Authenticate:
    current = settings.current()
    return Authenticate(shared.api_keys(client("dynamodb"), current.table), shared.clock(), current.key_cache_seconds)


def hop_links() -> HopLinks:
    """Where a wait goes on."""
    return HopLinks(shared.links(), lambda key_id: _authenticate().active_key(key_id))


def request_rate() -> RequestRate:
    """How many requests a minute API keys have made."""
    from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate

    return DynamoDBRequestRate(client("dynamodb"), settings.current().table, shared.clock().now)


def start() -> Start:
    """The use case `start`."""
    return Start(
        shared.store(),
        shared.workflow(),
        shared.routes(),
        shared.clock(),
        settings.current().deadline_seconds,
        shared.expands(),
    )


def read() -> Read:
    """The use case `read`."""
    return Read(shared.store(), shared.clock(), settings.current().operation_days)


def cancel() -> Cancel:
    """The use case `cancel`."""
    return Cancel(shared.update_with_retry(), shared.workflow(), shared.clock())


def retry() -> Retry:
    """The use case `retry`."""
    return Retry(shared.update_with_retry(), shared.workflow(), shared.routes(), shared.clock())


def delete() -> Delete:
    """The use case `delete`."""
    return Delete(shared.store(), shared.images(), shared.deliveries())


def estimate() -> Estimate:
    """The use case `estimate`."""
    return Estimate(shared.routes(), shared.latencies(), shared.expands())


def listing() -> Listing:
    """The lists of operations."""
    from imagegate.adapters.dynamodb_listing import DynamoDBListing

    return DynamoDBListing(client("dynamodb"), settings.current().table, shared.clock().now)


def resolve_webhook() -> ResolveWebhook:
    """The use case `attach`."""
    current = settings.current()
    return ResolveWebhook(shared.own_webhook_targets(), shared.webhook_key(client, current.webhook_key))


def redeliver() -> Redeliver:
    """The use case `redeliver`."""
    return Redeliver(shared.deliveries(), shared.deliveries(), lambda *which: shared.webhook_queue().put(*which))


def intake() -> Intake:
    """The use case `intake`."""
    from imagegate.dialects.operations import events as operations_events

    return Intake(
        operations_events.parse,
        resolve_webhook(),
        start(),
        shared.routes(),
        _intake_principal(),
        shared.own_dead_letters(),
        shared.clock(),
    )


def intake_queue() -> "SqsRequests":
    """The queue that `intake` reads."""
    from imagegate.adapters.sqs_requests import SqsRequests

    return SqsRequests(client("sqs"), settings.current().intake_queue_url)


def _intake_principal() -> Callable[[], Principal]:
    current = settings.current()
    if current.intake_key == EVERYBODY:
        return lambda: Principal(EVERYBODY)
    return OnBehalf(shared.api_keys(client("dynamodb"), current.table), shared.clock(), current.intake_key)
