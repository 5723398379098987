"""More clients at once than a new account has functions, simulated with the numbers of template and workflow."""

from dataclasses import replace

import pytest

from benchmarks.crowd_simulation import BEFORE, Crowd, deployed

pytestmark = pytest.mark.slow

UPSTREAMS = {"stream": True, "polled": False}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", UPSTREAMS)
@pytest.mark.parametrize(("clients", "seconds"), [(5, 20), (10, 20), (20, 20), (40, 3), (40, 20), (40, 120)])
def test_every_client_gets_its_picture_long_before_the_deadline(
    clients: int, seconds: float, kind: str, seed: int
) -> None:
    crowd = Crowd(deployed(), seconds, UPSTREAMS[kind], seed=seed).run(clients)
    assert crowd.states == {"succeeded": clients}
    assert len(crowd.served) == clients
    assert crowd.served[-1] < deployed().deadline * 2 / 3


@pytest.mark.parametrize("agent", ["OpenAI/Python", "python-requests/2", "aiohttp/3", "axios"])
def test_whatever_their_patience_with_redirects(agent: str) -> None:
    crowd = Crowd(deployed(), agent=agent).run(40)
    assert (crowd.states, len(crowd.served)) == ({"succeeded": 40}, 40)


def test_what_it_was_before() -> None:
    """Held requests left the workflow nothing to run in: the simulation shows what was found."""
    crowds = [Crowd(BEFORE, stream=stream, seed=seed).run(40) for seed in range(3) for stream in UPSTREAMS.values()]
    assert max(crowd.states["deadline_exceeded"] for crowd in crowds) > 5
    assert max(crowd.served[-1] for crowd in crowds) > 900


def test_either_half_of_the_mend_is_missed() -> None:
    now = deployed()
    whole, held, seldom = (
        max(Crowd(design, stream=stream, seed=seed).run(40).served[-1] for seed in range(3) for stream in (True, False))
        for design in (now, replace(now, yields=False), replace(now, retry=BEFORE.retry))
    )
    assert whole < held
    assert whole < seldom
