"""Gateways on loopback that the commands talk to."""

from collections.abc import Iterator

import pytest

from support.cli_gateway import CliGateway, cli_gateway


@pytest.fixture(scope="module")
def gateway() -> Iterator[CliGateway]:
    """It asks for no key."""
    with cli_gateway() as served:
        yield served


@pytest.fixture(scope="module")
def closed() -> Iterator[CliGateway]:
    """It asks for a key."""
    with cli_gateway("keys") as served:
        yield served
