"""What unit tests share."""

from collections.abc import Iterator
from functools import cache

import boto3
import pytest
import requests
import typer.testing
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from moto import mock_aws

from imagegate.local.ministack.process import MiniStackProcess
from imagegate.local.ports import listen
from imagegate.local.root_credentials import RootCredentials
from imagegate.local.stack.root_access import RootAccess
from imagegate.local.state_folder import StateFolder
from support.sam import account

REGION = "eu-central-1"

# `CliRunner.invoke` builds all commands of the program each time, which takes longer than most of them.
typer.testing._get_command = cache(typer.testing._get_command)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the emulated AWS to `make test-slow`: each test starts with an empty one, which takes long."""
    for item in items:
        if "mocked_aws" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


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
        access, emptied_by = request.getfixturevalue(request.param.replace("-", "_"))
        for name, value in {**access.variables(), "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(region_name=REGION))
        _post(access, emptied_by)
        yield


def _post(access: RootAccess, path: str) -> None:
    """Signed, as MiniStack is closed to anything else."""
    request = AWSRequest("POST", access.endpoint + path, data=b"")
    SigV4Auth(access.session().get_credentials(), "sts", REGION).add_auth(request)
    requests.post(request.url, headers=dict(request.headers), timeout=30).raise_for_status()


Emulator = tuple[RootAccess, str]
"""Access to it, and the path that empties it."""


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """moto, behind HTTP."""
    with account(tmp_path_factory.mktemp("moto") / "moto.log") as running:
        yield RootAccess(running.endpoint, RootCredentials("testing", "testing")), "/moto-api/reset"


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The embedded stack's AWS."""
    folder = StateFolder(tmp_path_factory.mktemp("ministack"))
    folder.create()
    process = MiniStackProcess(folder=folder, listener=listen(0))
    process.start()
    try:
        yield RootAccess(process.endpoint, folder.root_credentials()), "/_ministack/reset"
    finally:
        process.stop()
