"""Unmodified clients wait along redirects for a picture that takes longer than one request may.

Three of them in `make test`, all others in `make test-slow`: each takes a process for every request that it has open.
"""

from collections.abc import Iterator

import pytest

from clients.register import IN_THE_SUITE, QUICK
from imagegate.local.stack.stack import Stack
from support.client_runs import Runs, assert_picture, assert_waited_along_redirects, under_way, waiting_for

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("impatient")]
PATIENCE = 100.0
NAMES = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in IN_THE_SUITE]


@pytest.fixture(scope="module")
def runs(impatient_stack: Stack, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """All clients at once whose tests are to be run."""
    selected = {other.callspec.params["name"] for other in request.session.items if other.path == request.path}
    asked = {name: entry for name, entry in IN_THE_SUITE.items() if name in selected}
    with under_way(impatient_stack, waiting_for(12, asked)) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_the_client_gets_its_picture(runs: Runs, name: str) -> None:
    run = runs[name].result(PATIENCE)
    assert_picture(run)
    assert_waited_along_redirects(run)
    assert len(run.door.hops) >= 3
    assert {call.method for call in run.door.hops} == {"POST" if name == "curl -X POST -L" else "GET"}
