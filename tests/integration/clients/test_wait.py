"""Unmodified clients wait along redirects for a picture that takes longer than one request may."""

from collections.abc import Iterator

import pytest

from clients.register import IN_THE_SUITE
from imagegate.local.stack.stack import Stack
from support.client_runs import Runs, assert_picture, assert_waited_along_redirects, under_way, waiting_for

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("impatient")]
PATIENCE = 100.0


@pytest.fixture(scope="module")
def runs(impatient_stack: Stack) -> Iterator[Runs]:
    with under_way(impatient_stack, waiting_for(12, IN_THE_SUITE)) as running:
        yield running


@pytest.mark.parametrize("name", IN_THE_SUITE)
def test_the_client_gets_its_picture(runs: Runs, name: str) -> None:
    run = runs[name].result(PATIENCE)
    assert_picture(run)
    assert_waited_along_redirects(run)
    assert len(run.door.hops) >= 3
    assert {call.method for call in run.door.hops} == {"POST" if name == "curl -X POST -L" else "GET"}
