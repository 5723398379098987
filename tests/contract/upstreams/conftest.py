"""The stand-ins on a real server on loopback, with their clocks turned up."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from botocore.credentials import Credentials

from imagegate.adapters import aws_signature
from imagegate.local.upstreams.app import build_app
from imagegate.local.upstreams.serving import serving

HEARTBEAT = 0.05


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to `make test-slow` what waits until an adapter has had enough of a silent upstream."""
    if re.search(r"(?<![a-z])hang", item.name):  # not "changes"
        item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[str]:
    """Base URL of all stand-ins."""
    app = build_app(latency_seconds=0.02, heartbeat_seconds=HEARTBEAT, drip_seconds=0.001, hang_seconds=30)
    with serving(app) as url:
        yield url


@pytest.fixture(scope="session")
def connection(stand_ins: str) -> Iterator[httpx.Client]:
    """One client for all tests: making one takes longer than most of them."""
    with httpx.Client(base_url=stand_ins, timeout=5, headers={"authorization": "Bearer any"}) as client:
        yield client


@pytest.fixture
def client(connection: httpx.Client) -> httpx.Client:
    """A client of the stand-ins; the ledger is empty when a test begins."""
    connection.delete("/_standin/submissions").raise_for_status()
    return connection


@pytest.fixture
def submissions(client: httpx.Client) -> Callable[[], list[dict[str, object]]]:
    """Reads the ledger."""
    return lambda: client.get("/_standin/submissions").json()["submissions"]


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as a function has them of its role, for upstreams that are AWS services."""
    monkeypatch.setattr(aws_signature, "_credentials", lambda: Credentials("AKIDEXAMPLE", "secret", "session"))
