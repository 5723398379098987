"""What clients make of failures: the right exception with the upstream's reason, and no picture paid for twice."""

import time
from collections.abc import Iterator

import pytest
import requests

from clients.outcome import Ask
from imagegate.local.stack.stack import Stack
from support.client_failures import BY_CLIENT, CLIENTS, PATIENCE, Case, Failing, assert_failed, under_way_with
from support.client_runs import under_way

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("impatient")]
CASES = {
    "unknown model": Case(
        Ask("a fox of no known model", model="nope"),
        {"openai": "NotFoundError", "ai-sdk": "APICallError"},
        404,
        "model_not_found",
        "The model 'nope' does not exist here. Use one of: ",
    ),
    "the upstream refuses the request": Case(
        Ask("[fault with-no-name] a fox"),
        {"openai": "BadRequestError", "ai-sdk": "APICallError"},
        400,
        "invalid_request",
        "black-forest-labs answered HTTP 400: [fault with-no-name] is not known",
    ),
    "the prompt is refused": Case(
        Ask("[fault refuse] a fox"),
        {"openai": "BadRequestError", "ai-sdk": "APICallError"},
        400,
        "moderation_blocked",
        "content filter refused this prompt",
        submissions=1,
    ),
    "every upstream gives up": Case(
        Ask("[delay 2s] [fault error] a fox"),  # long enough to fail only after redirects
        {"openai": "APIStatusError", "ai-sdk": "APICallError"},
        424,
        "upstream_failed",
        "the Space failed without saying why",
        submissions=4,  # two providers, two attempts each
    ),
}
THROTTLED_AT_FIRST = Ask("[fault http-429-retry-after x4] a fox", response_format="b64_json")


@pytest.fixture(scope="module", params=BY_CLIENT)
def failing(impatient_stack: Stack, request: pytest.FixtureRequest) -> Iterator[Failing]:
    asks = {name: case.generation for name, case in CASES.items()} | {"throttled at first": THROTTLED_AT_FIRST}
    with under_way_with(request.param, impatient_stack, asks) as runs:
        yield Failing(request.param, runs)


@pytest.mark.parametrize("name", CASES)
def test_the_failure_arrives_and_is_not_paid_for_again(failing: Failing, name: str) -> None:
    assert_failed(failing, name, CASES[name])


def test_it_also_arrives_at_the_end_of_redirects(failing: Failing) -> None:
    statuses = [call.status for call in failing.runs["every upstream gives up"].result(PATIENCE).door.calls]
    assert statuses == [303] * (len(statuses) - 1) + [424]
    assert len(statuses) >= 3


def test_who_is_throttled_at_first_gets_one_picture_in_the_end(failing: Failing) -> None:
    run = failing.runs["throttled at first"].result(PATIENCE)
    assert run.outcome.ok
    assert run.submissions() == 1


@pytest.mark.parametrize("client", BY_CLIENT)
def test_a_cancelled_operation_is_told_to_whoever_waits(impatient_stack: Stack, client: str) -> None:
    generation = Ask(f"[delay 50s] a fox that {client} no longer wants")
    case = Case(
        generation,
        {"openai": "APIStatusError", "ai-sdk": "APICallError"},
        424,
        "cancelled",
        "The operation was cancelled.",
        submissions=1,
    )
    with under_way(impatient_stack, {"cancelled": (CLIENTS[client], generation)}) as runs:
        cancel(impatient_stack, generation.prompt)
        assert_failed(Failing(client, runs), "cancelled", case)


def cancel(stack: Stack, prompt: str) -> None:
    """Cancel the operation of that prompt as soon as its upstream has the job."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        listed = requests.get(f"{stack.base_url}/v1/operations", timeout=30).json()["operations"]
        found = [entry for entry in listed if entry["prompt"] == prompt and entry["may_have_cost"]]
        if found:
            answer = requests.post(stack.base_url + found[0]["urls"]["cancel"], timeout=30)
            assert answer.json()["state"] == "cancelled"
            return
        time.sleep(0.2)
    pytest.fail("the operation never started")
