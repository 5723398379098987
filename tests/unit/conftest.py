"""What unit tests share."""

from collections.abc import Iterator
from functools import cache

import boto3
import pytest
from moto import mock_aws


@cache
def _session() -> boto3.Session:
    return boto3.Session("testing", "testing", region_name="eu-central-1")


@pytest.fixture
def mocked_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS by moto. All tests of a process share one session: reading the services' models takes 50 ms each."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        yield
