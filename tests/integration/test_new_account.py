"""Forty clients at once at a deployment whose account has ten functions, as new accounts have."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.xdist_group("new account"),
    pytest.mark.timeout(700),
]
CLIENTS, FUNCTIONS = 40, 10
TURNED_AWAY = (429, 503, 504)
"""No function was free, or the client has followed all redirects that it follows: the same request waits on."""
PATIENCE = 600.0
"""Seconds: two thirds of an operation's deadline."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = replace(
        on_free_ports(tmp_path_factory.mktemp("new-account")),
        environment={"LAMBDA_ACCOUNT_CONCURRENCY": str(FUNCTIONS)},
        stand_ins=StandIns(build_app(latency_seconds=4.0), STAND_IN_SECRETS),
    )
    with Stack(settings) as running:
        yield running


def picture(stack: Stack, who: int, refused: Counter[int]) -> requests.Response:
    """A client that follows redirects and comes back when it is turned away, ever later."""
    deadline, pause = time.monotonic() + PATIENCE, 0.5
    body = {"model": "flux", "prompt": f"a cat for client {who}"}
    while True:
        answer = requests.post(f"{stack.base_url}/v1/images/generations", json=body, timeout=60)
        if answer.status_code not in TURNED_AWAY or time.monotonic() > deadline:
            return answer
        refused[answer.status_code] += 1
        time.sleep(pause)  # a backoff, as clients have it
        pause = min(2 * pause, 8.0)


def test_all_get_their_pictures_and_none_is_lost_or_late(stack: Stack) -> None:
    refused: Counter[int] = Counter()
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda who: picture(stack, who, refused), range(CLIENTS)))
    print(f"{CLIENTS} pictures in {time.monotonic() - began:.0f} s; turned away: {dict(refused)}")
    assert [answer.status_code for answer in answers] == [200] * CLIENTS, answers[0].text
    assert refused, "the bound was not felt: nothing is shown by this"
    listed = requests.get(f"{stack.base_url}/v1/operations?page_size=100").json()["operations"]
    assert Counter(entry["state"] for entry in listed) == {"succeeded": CLIENTS}
