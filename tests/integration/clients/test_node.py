"""The same for the clients on Node, and for LangChain. Opt-in: `make test-node`."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import requests

from clients import as_process
from clients.outcome import Ask
from clients.register import ON_NODE
from imagegate.local.stack.stack import Stack
from support.client_runs import Runs, assert_picture, assert_waited_along_redirects, run, under_way, waiting_for

pytestmark = [pytest.mark.node, pytest.mark.integration, pytest.mark.xdist_group("impatient")]
PATIENCE = 100.0


@pytest.fixture(scope="module")
def runs(impatient_stack: Stack) -> Iterator[Runs]:
    with under_way(impatient_stack, waiting_for(12, ON_NODE)) as running:
        yield running


@pytest.mark.parametrize("name", ON_NODE)
def test_the_client_gets_its_picture(runs: Runs, name: str) -> None:
    run = runs[name].result(PATIENCE)
    assert_picture(run)
    assert_waited_along_redirects(run)
    assert len(run.door.hops) >= 3
    assert {call.method for call in run.door.hops} == {"GET"}


def test_the_ai_sdk_with_nothing_but_a_prompt(impatient_stack: Stack) -> None:
    assert_picture(run(impatient_stack, as_process.node_ai_sdk, Ask("a fox for nothing but a prompt")))


def test_four_pictures_of_the_ai_sdk_are_four_pictures(impatient_stack: Stack) -> None:
    """It posts four identical requests at once."""
    asked = {"base_url": impatient_stack.base_url, "prompt": "four foxes of the AI SDK", "model": "flux"}
    command = ["node", str(as_process.NODE / "ai-sdk-parallel.mjs"), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=PATIENCE)
    assert len(set(json.loads(done.stdout)["sha256"])) == 4
    url = f"{impatient_stack.upstreams_url}/_standin/submissions"
    assert requests.get(url, params={"prompt": asked["prompt"]}, timeout=10).json()["count"] == 4


def test_langchain_gets_a_picture_by_the_name_it_has_hard_coded(impatient_stack: Stack) -> None:
    assert_picture(run(impatient_stack, as_process.langchain, Ask("a fox for LangChain", model="dall-e-3")), "PNG")
