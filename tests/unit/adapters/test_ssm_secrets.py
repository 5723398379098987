"""Upstream credentials are read in the end, however many functions start at once."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse

from imagegate.adapters import aws
from imagegate.deployment import Deployment
from imagegate.domain.failure import FailureCode, SecretsUnreadable, UpstreamError
from imagegate.settings import Settings
from imagegate.workflow.driver import SWEEP_MARGIN

PATH = "/imagegate/dev/upstreams"
THROTTLED = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
READ = b'{"Parameters": [{"Name": "/imagegate/dev/upstreams/K", "Value": "a secret", "Type": "SecureString"}]}'


class Ssm:
    """SSM behind botocore's own retries: it takes no read before `taken`, counted from 1."""

    def __init__(self) -> None:
        self.taken = 100
        self.reads = 0
        self.pauses: list[float] = []

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.reads += 1
        status, body = (400, THROTTLED) if self.reads < self.taken else (200, READ)
        response = AWSResponse(request.url, status, {}, None)
        response._content = body
        return response


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssm]:
    """The SSM that a task function meets, throttled until it is told otherwise; pauses are noted, not slept."""
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    made = Ssm()
    # Not `time.sleep` itself: servers of other tests run in this process.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=made.pauses.append))
    aws.client.cache_clear()
    yield made
    aws.client.cache_clear()


def secrets(ssm: Ssm) -> Any:
    """What submit and poll read secrets with."""
    made: Any = Deployment(Settings(secrets_path=PATH), aws.client).providers._secrets
    made._client.meta.events.register("before-send.ssm.GetParametersByPath", ssm.answer)
    return made


def test_a_burst_of_cold_functions_reads_in_turn(ssm: Ssm) -> None:
    ssm.taken = 7
    assert secrets(ssm).get("K") == "a secret"
    assert (ssm.reads, len(ssm.pauses)) == (7, 6)


def test_all_secrets_are_read_once(ssm: Ssm) -> None:
    ssm.taken = 0
    read = secrets(ssm)
    assert (read.get("K"), read.get("OTHER"), read.get("K")) == ("a secret", None, "a secret")
    assert ssm.reads == 1


def test_in_the_end_it_is_said_that_the_provider_was_not_asked(ssm: Ssm) -> None:
    with pytest.raises(SecretsUnreadable) as refused:
        secrets(ssm).get("K")
    assert refused.value.failure.code == FailureCode.CAPACITY
    assert ssm.reads == 7


def test_a_submission_that_waits_for_secrets_is_not_taken_for_dead(ssm: Ssm) -> None:
    """It holds the lease meanwhile. Forty secrets are four pages."""
    with pytest.raises(UpstreamError):
        secrets(ssm).get("K")
    longest = [min(2**retry, 20) for retry in range(ssm.reads - 1)]
    assert all(pause <= most for pause, most in zip(ssm.pauses, longest, strict=True))
    assert sum(longest) < SWEEP_MARGIN


@pytest.fixture
def deployment() -> Any:
    made: Any = Deployment(Settings(secrets_path=PATH), aws.client, pushed_routes=SimpleNamespace(current=lambda: None))
    return made


def test_a_provider_is_prepared_by_reading_its_secrets(ssm: Ssm, deployment: Any) -> None:
    deployment.providers._secrets._client.meta.events.register("before-send.ssm.GetParametersByPath", ssm.answer)
    with pytest.raises(SecretsUnreadable):
        deployment.prepare("openai", "gpt-image-1")
    ssm.taken = ssm.reads
    deployment.prepare("openai", "gpt-image-1")
    read = ssm.reads
    deployment.prepare("openai", "gpt-image-1")
    assert ssm.reads == read, "they are kept"


def test_a_provider_that_cannot_be_asked_at_all_is_left_to_its_submission(ssm: Ssm, deployment: Any) -> None:
    deployment.prepare("no-such-provider", "m")
