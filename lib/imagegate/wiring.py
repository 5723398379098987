"""The only place that names concrete adapters. Everything is made on first use and kept for the process."""

from functools import cache

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.domain.route import Routes
from imagegate.ports import Clock, EventBus, Http, ImageStore, Listing, Workflow
from imagegate.providers import registry
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.conclude import Conclude
from imagegate.usecases.delete import Delete
from imagegate.usecases.estimate import Estimate
from imagegate.usecases.fail import Fail
from imagegate.usecases.poll import Poll
from imagegate.usecases.publish import Publish
from imagegate.usecases.read import Read
from imagegate.usecases.retry import Retry
from imagegate.usecases.revise import Revise
from imagegate.usecases.start import Start
from imagegate.usecases.submit import Submit
from imagegate.usecases.sweep import Sweep

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

    return EventBridgeBus(client("events"), settings.current().bus)


@cache
def _http() -> Http:
    from imagegate.adapters.http_upstream import HttpUpstream

    return HttpUpstream()


@cache
def providers() -> registry.Providers:
    """The upstreams."""
    from imagegate.adapters.ssm_secrets import SsmSecrets

    current = settings.current()
    secrets = SsmSecrets(client("ssm"), current.secrets_path)
    return registry.Providers(_http(), secrets, current.upstream_base_urls)


@cache
def _conclude() -> Conclude:
    from imagegate.adapters.pillow_pictures import PillowPictures
    from imagegate.usecases.keep import Keep

    keep = Keep(images(), _http(), PillowPictures())
    return Conclude(keep, providers(), Revise(store(), _clock), _clock)


def start() -> Start:
    """The use case `start`."""
    return Start(store(), workflow(), routes(), _clock, settings.current().deadline_seconds)


def submit() -> Submit:
    """The use case `submit`."""
    revise = Revise(store(), _clock)
    return Submit(store(), routes(), providers(), _conclude(), revise, _clock)


def poll() -> Poll:
    """The use case `poll`."""
    return Poll(store(), providers(), _conclude(), Revise(store(), _clock), _clock)


def fail() -> Fail:
    """The use case `fail`."""
    return Fail(store(), Revise(store(), _clock), _clock)


def sweep() -> Sweep:
    """The use case `sweep`."""
    return Sweep(store(), workflow(), Revise(store(), _clock), _clock)


def publish() -> Publish:
    """The use case `publish`."""
    return Publish(bus())


def read() -> Read:
    """The use case `read`."""
    return Read(store(), _clock, settings.current().operation_days)


def cancel() -> Cancel:
    """The use case `cancel`."""
    return Cancel(Revise(store(), _clock), workflow(), _clock)


def retry() -> Retry:
    """The use case `retry`."""
    return Retry(Revise(store(), _clock), workflow(), _clock)


def delete() -> Delete:
    """The use case `delete`."""
    return Delete(store(), images())


def estimate() -> Estimate:
    """The use case `estimate`."""
    return Estimate(routes())


def listing() -> Listing:
    """The lists of operations."""
    from imagegate.adapters.dynamodb_listing import DynamoDBListing

    return DynamoDBListing(client("dynamodb"), settings.current().table, _clock.now)
