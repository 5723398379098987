"""Every client at once on the stack as deployed, with an upstream that takes 70 s. Opt-in: `make test-node`."""

from collections.abc import Iterator

import pytest

from clients.outcome import Ask
from clients.register import EVERYONE
from imagegate.local.stack.stack import Stack
from support.client_runs import Runs, assert_picture, assert_waited_along_redirects, under_way

pytestmark = [
    pytest.mark.node,
    pytest.mark.integration,
    pytest.mark.xdist_group("real-time"),
    pytest.mark.timeout(300),
]
UPSTREAM_SECONDS = 70


@pytest.fixture(scope="module")
def runs(real_time_stack: Stack) -> Iterator[Runs]:
    asked = {
        name: (
            entry.generate,
            Ask(f"a fox in no hurry for {name}", response_format=entry.response_format, deadline=240),
        )
        for name, entry in EVERYONE.items()
    }
    with under_way(real_time_stack, asked) as running:
        yield running


@pytest.mark.parametrize("name", EVERYONE)
def test_the_client_gets_its_picture(runs: Runs, name: str) -> None:
    run = runs[name].result(250)
    assert_picture(run)
    assert_waited_along_redirects(run)
    assert run.seconds > UPSTREAM_SECONDS
    # Held for 4 s by the POST, or 25 where the client is not known to follow, and for 28 s by each hop.
    assert len(run.door.hops) in (2, 3, 4)
