"""The template built and packaged once by the real SAM CLI; TEMPLATE names another than the checkout's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegate.local.stack.packaging import load_yaml
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.sam import ARTIFACTS, Account, Project, account, copy_project
from support.stack_settings import WITH_WEBHOOKS, on_free_ports


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it needs what setup.sh installs, and one build but for what builds by itself."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.deploy)
            if not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group("deploy"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured without judging it."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(value)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An empty account."""
    with account(tmp_path_factory.mktemp("moto") / "moto.log") as empty:
        yield empty


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, aws: Account) -> Project:
    """A copy of the project, not built."""
    return copy_project(tmp_path_factory.mktemp("project") / "imagegate", aws)


@pytest.fixture(scope="session")
def built(project: Project) -> Project:
    """The project as `make deploy` builds it."""
    project.sam("build")
    return project


@pytest.fixture(scope="session")
def packaged(built: Project) -> dict[str, Any]:
    """The template as it would go to CloudFormation, its artifacts in the account's bucket."""
    built.sam("package", "--s3-bucket", ARTIFACTS, "--output-template-file", "packaged.yaml")
    return load_yaml(built.folder / "packaged.yaml")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The checkout's template on the embedded AWS, which runs the checkout's code; upstreams take half a second."""
    settings = on_free_ports(tmp_path_factory.mktemp("stack"))
    parameters = {**settings.parameters, **WITH_WEBHOOKS, "LongHold": "on"}
    upstreams = StandIns(build_app(latency_seconds=0.5), STAND_IN_SECRETS)
    with Stack(replace(settings, parameters=parameters, stand_ins=upstreams)) as running:
        yield running
