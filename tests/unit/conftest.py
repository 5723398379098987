"""What unit tests share."""

from collections.abc import Callable, Iterator
from functools import cache

import boto3
import pytest
import requests
from moto import mock_aws

from imagegate.local.ministack_process import MiniStackProcess
from imagegate.local.root_access import RootAccess
from imagegate.local.state_folder import StateFolder
from support.processes import free_port
from support.sam import account

REGION = "eu-central-1"


@cache
def _session() -> boto3.Session:
    return boto3.Session("testing", "testing", region_name=REGION)


def _server(kind: str) -> object:
    """A parameter for an emulator in a process of its own: opt-in, for what setup.sh of tests/deploy installs."""
    return pytest.param(kind, marks=[pytest.mark.deploy, pytest.mark.xdist_group(kind)])


@pytest.fixture(params=["in-process", _server("moto-server"), _server("ministack")])
def mocked_aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS. All tests of a process share one session: reading the services' models takes 50 ms each."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    if request.param == "in-process":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
        with mock_aws(config={"core": {"reset_boto3_session": False}}):
            yield
    else:
        endpoint, reset = request.getfixturevalue(request.param.replace("-", "_"))
        _use(monkeypatch, endpoint)
        reset()
        yield


def _use(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    keys = RootAccess(endpoint).session().get_credentials()
    assert keys
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(region_name=REGION))


Emulator = tuple[str, Callable[[], None]]
"""Its URL, and what empties it."""


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """moto, behind HTTP."""
    with account(tmp_path_factory.mktemp("moto") / "moto.log") as running:
        yield running.endpoint, lambda: _post(f"{running.endpoint}/moto-api/reset")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The embedded stack's AWS."""
    folder = StateFolder(tmp_path_factory.mktemp("ministack"))
    folder.create()
    process = MiniStackProcess(folder, free_port())
    process.start()
    try:
        yield process.endpoint, lambda: _post(f"{process.endpoint}/_ministack/reset")
    finally:
        process.stop()


def _post(url: str) -> None:
    requests.post(url, timeout=30).raise_for_status()
