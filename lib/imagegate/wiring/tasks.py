"""What asks upstreams: the workflow's states."""

from collections.abc import Mapping
from functools import cache
from typing import Protocol

from imagegate import settings
from imagegate.adapters.aws import client
from imagegate.ports.storage import Admission
from imagegate.ports.upstreams import Expander, Http
from imagegate.providers import registry
from imagegate.providers.replaced import reach
from imagegate.wiring import shared
from imagegate.workflow.expand import Expand
from imagegate.workflow.next_step import Invocation, Planner
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.poll import Poll
from imagegate.workflow.submit import Submit

_SSM_ATTEMPTS = 7
"""SSM takes 40 reads a second of an account, and hundreds of functions may start at once. Their pauses, 25 s on average
and 51 s at most, let them read in turn; only then is a secret unreadable, and another provider asked for that."""


class Context(Protocol):
    """What Lambda tells a function of its invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until it is stopped."""


def invocation(event: Mapping[str, str], context: Context) -> Invocation:
    """The invocation with this event."""
    return Invocation(event["run"], shared.clock().now() + context.get_remaining_time_in_millis() / 1000)


@cache
def _http() -> Http:
    from imagegate.adapters.http_upstream import HttpUpstream

    return HttpUpstream()


@cache
def providers() -> registry.Providers:
    """The upstreams."""
    current = settings.current()
    # Not so the expander's secret: expanding has its share of the time, and can be left out.
    secrets = shared.secrets(client("ssm", _SSM_ATTEMPTS), current.secrets_path)
    return registry.Providers(_http(), secrets, current.upstream_base_urls)


def _expander() -> Expander | None:
    from imagegate.providers.expanders import NAME, ChatExpander, Endpoint

    current = settings.current()
    if current.expander == "none":
        return None
    url, http = reach(NAME, current.expander_url, current.upstream_base_urls, _http())
    endpoint = Endpoint(current.expander, url, current.expander_model, current.expander_secret)
    return ChatExpander(endpoint, http, shared.secrets(client("ssm"), current.secrets_path))


@cache
def _admission() -> Admission:
    from imagegate.adapters.dynamodb_admission import DynamoDBAdmission

    return DynamoDBAdmission(
        client("dynamodb"),
        settings.current().table,
        lambda name: registry.limits_of(name).requests_per_minute,
        shared.clock().now,
    )


@cache
def _outcomes() -> Outcomes:
    from imagegate.adapters.pillow_pictures import PillowPictures
    from imagegate.workflow.store_pictures import StorePictures

    store_pictures = StorePictures(shared.images(), _http(), PillowPictures())
    return Outcomes(
        store_pictures,
        providers(),
        _admission(),
        shared.latencies(),
        shared.telemetry(),
        shared.update_with_retry(),
        shared.clock(),
    )


@cache
def _planner() -> Planner:
    return Planner(shared.latencies(), registry.limits_of, shared.clock())


def expand() -> Expand:
    """The use case `expand`."""
    return Expand(
        shared.store(), shared.routes(), _expander(), shared.telemetry(), shared.update_with_retry(), shared.clock()
    )


def submit() -> Submit:
    """The use case `submit`."""
    update_with_retry = shared.update_with_retry()
    return Submit(
        shared.store(),
        shared.images(),
        shared.routes(),
        providers(),
        _admission(),
        _outcomes(),
        poll(),
        _planner(),
        update_with_retry,
        shared.clock(),
    )


def poll() -> Poll:
    """The use case `poll`."""
    return Poll(shared.store(), providers(), _outcomes(), _planner(), shared.update_with_retry(), shared.clock())
