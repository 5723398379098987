"""Opt-in: `make test-provenance` installs c2pa-python, and needs ExifTool."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagegate.cli.routes.push import push_text
from imagegate.cli.signing import provide_self_signed
from imagegate.deployment import Deployment
from imagegate.local.stack.settings import DEFAULT_STAGE, StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from imagegate.providers import registry
from imagegate.settings import of_stage
from support.stack_settings import on_free_ports

TARGETS = {target.provider: target.model for route in registry.routes() for target in route.targets}
ROUTES = "\n".join(
    f'[models.only-{provider}]\nroute = ["{provider}/{model}"]\n' for provider, model in sorted(TARGETS.items())
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folder out unless `-m` names its marker, as most checkouts lack the programs."""
    return None if "provenance" in config.getoption("markexpr") else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and keep those of the stack in one process."""
    for item in items:
        if "tests/provenance/" in item.path.as_posix():
            item.add_marker(pytest.mark.provenance)
            if "signing_stack" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("signing"))


@pytest.fixture(scope="session")
def signing_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that signs, with a route to each provider alone."""
    settings = on_free_ports(tmp_path_factory.mktemp("signing"))
    settings = replace(
        settings,
        parameters={**settings.parameters, "Signing": "on"},
        stand_ins=StandIns(build_app(latency_seconds=0.05), STAND_IN_SECRETS),
    )
    with Stack(settings) as running:
        provide_self_signed(running.client("ssm"), DEFAULT_STAGE)
        deployment = Deployment(of_stage(DEFAULT_STAGE, running.outputs, local=True), running.client)
        push_text(deployment.pushed_routes, ROUTES, "test")
        yield running
