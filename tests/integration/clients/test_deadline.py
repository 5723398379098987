"""The same where operations may take eight seconds at most, which is soon enough to wait for it."""

from collections.abc import Iterator

import pytest

from clients.outcome import Ask
from imagegate.local.stack.stack import Stack
from support.client_failures import BY_CLIENT, Case, Failing, assert_failed, under_way_with

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("hurried")]
CASES = {
    "deadline": Case(
        Ask("[delay 60s] a fox"),
        {"openai": "APIStatusError", "ai-sdk": "APICallError"},
        424,
        "deadline_exceeded",
        "No picture within the deadline of 8 s.",
        submissions=1,
    ),
    "throttled": Case(
        Ask("[fault http-429] a fox"),
        {"openai": "RateLimitError", "ai-sdk": "RetryError"},
        429,
        "rate_limit_exceeded",
        "answered HTTP 429: Too many requests",
        posts=3,  # their own two retries: what was refused cost nothing
    ),
}


@pytest.fixture(scope="module", params=BY_CLIENT)
def failing(hurried_stack: Stack, request: pytest.FixtureRequest) -> Iterator[Failing]:
    asks = {name: case.generation for name, case in CASES.items()}
    with under_way_with(request.param, hurried_stack, asks) as runs:
        yield Failing(request.param, runs)


@pytest.mark.parametrize("name", CASES)
def test_the_failure_arrives_and_is_not_paid_for_again(failing: Failing, name: str) -> None:
    assert_failed(failing, name, CASES[name])
