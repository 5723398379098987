"""Limits of keys on the real table and through the deployed API, with IAM enforced."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import requests
from botocore.config import Config

from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_ledger import DynamoDBUsageLedger
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.adapters.dynamodb_request_rate import DynamoDBRequestRate
from imagegate.domain.access.api_key import MANY_SHARDS, ApiKey, KeyLimits, Principal, issue
from imagegate.domain.access.ledger import UsageTotals, day_of
from imagegate.domain.errors import QuotaExhausted, RateLimited, WrongState
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.account import Amount
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.local.stack.stack import Stack
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.start import GenerationRequest
from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.fail import Fail
from support.fakes import MemoryWorkflow, failing
from support.world import World

STARTS, FITTING = 200, 50
Cli = Callable[..., dict[str, Any]]
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def dynamodb(closed: Stack) -> Any:
    """A client that so many threads can use at once."""
    config = Config(max_pool_connections=STARTS)
    return closed.session().client("dynamodb", endpoint_url=closed.aws_endpoint, config=config)


@pytest.fixture(scope="module")
def store(closed: Stack, dynamodb: Any) -> DynamoDBOperations:
    return DynamoDBOperations(dynamodb, closed.outputs["TableName"], 30, CLOCK.now)


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """What so many threads got that call at the same moment; of refusals the exception."""
    barrier = Barrier(count)

    def one() -> Any:
        barrier.wait()
        try:
            return call()
        except RateLimited as refused:
            return refused

    with ThreadPoolExecutor(count) as pool:
        return [done.result() for done in [pool.submit(one) for _ in range(count)]]


@pytest.mark.parametrize(
    ("limits", "shards"),
    [
        (KeyLimits(pictures_per_day=FITTING), 1),
        (KeyLimits(micro_dollars_per_day=FITTING * 3000 + 2999), 1),
        (KeyLimits(concurrent=FITTING), 1),
        (KeyLimits(pictures_per_day=FITTING), MANY_SHARDS),
    ],
    ids=["pictures", "dollars", "concurrent", "pictures in shards"],
)
def test_of_200_starts_at_once_as_many_get_through_as_fit(
    closed: Stack, dynamodb: Any, store: DynamoDBOperations, limits: KeyLimits, shards: int
) -> None:
    """A start that meets others is repeated, as its refusal says."""
    key = replace(issue("race", CLOCK.now(), limits=limits)[0], shards=shards)
    start = World(clock=CLOCK, store=store).deployment.start  # type: ignore[arg-type]
    request = ImageRequest(model="flux", messages=(Message("a race"),))

    def begin() -> Operation:
        while True:
            try:
                return start(
                    GenerationRequest(request=request, dialect="operations"), Principal(key.owner, key)
                ).operation
            except RateLimited as refused:
                if "at the same moment" not in refused.message:
                    raise

    outcomes = at_once(STARTS, begin)
    begun = [outcome for outcome in outcomes if isinstance(outcome, Operation)]
    refused = {type(outcome) for outcome in outcomes if not isinstance(outcome, Operation)}
    assert len(begun) == FITTING
    assert refused == {RateLimited if limits.concurrent else QuotaExhausted}
    running = FITTING if limits.concurrent else 0
    assert used(closed, dynamodb, key) == Amount(running, FITTING, FITTING * 3000)
    end_all(store, begun)
    assert used(closed, dynamodb, key) == Amount()
    begun = at_once(FITTING, begin)
    assert used(closed, dynamodb, key) == Amount(running, FITTING, FITTING * 3000)
    end_all(store, begun)  # or `sweep` would drive all of them while other tests run


def end_all(store: DynamoDBOperations, operations: list[Operation]) -> None:
    """Every one of them fails, is cancelled, and failed again, at the same moment."""
    update_with_retry = UpdateWithRetry(store=store, clock=CLOCK)
    cancel, fail = (
        Cancel(
            update=update_with_retry,
            start_workflow=StartWorkflow(store=store, workflow=MemoryWorkflow(), clock=CLOCK),
            clock=CLOCK,
        ),
        Fail(store=store, update=update_with_retry, clock=CLOCK),
    )

    def end(number: int) -> None:
        operation = operations[number // 2]
        if number % 2:
            fail(operation.id, "States.Timeout")
        else:
            with suppress(WrongState):
                cancel(operation)

    with ThreadPoolExecutor(2 * len(operations)) as pool:
        list(pool.map(end, range(2 * len(operations))))
    for operation in operations:
        found = store.get(operation.id, consistent=True)
        assert found
        assert found.state in (State.FAILED, State.CANCELLED)


def test_30_operations_at_once_whose_tries_are_charged_and_fail_spend_no_more_than_the_budget(
    closed: Stack, dynamodb: Any, store: DynamoDBOperations
) -> None:
    price, budget = 18_300, 300_000
    key, _ = issue("spender", CLOCK.now(), limits=KeyLimits(micro_dollars_per_day=budget))
    limits = Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
    targets = tuple(
        Target(provider=name, model="m", limits=limits, price_usd=price / 1e6) for name in ("alpha", "beta")
    )
    world = World(clock=CLOCK, store=store, routes=Routes([Route(model="flux", targets=targets)]))  # type: ignore[arg-type]
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    outcomes = at_once(30, lambda: world.drive(world.begun(1, key)))
    ended = [outcome.failure for outcome in outcomes if isinstance(outcome, Operation)]
    tries = len(world.alpha.submitted) + len(world.beta.submitted)
    assert {failure.code for failure in ended if failure} == {FailureCode.BUDGET_EXCEEDED}
    assert len(ended) == tries == budget // price
    assert used(closed, dynamodb, key).micro_dollars == tries * price


def used(closed: Stack, dynamodb: Any, key: ApiKey) -> Amount:
    today = day_of(CLOCK.now())
    found: UsageTotals = DynamoDBUsageLedger(dynamodb, closed.outputs["TableName"]).read(key.id, [today], key.shards)
    return found.days.get(today, Amount()) + Amount(running=found.running)


def test_of_200_requests_at_once_as_many_get_through_as_the_bucket_holds(closed: Stack, dynamodb: Any) -> None:
    key, _ = issue("flood", CLOCK.now())
    now = CLOCK.now()
    rates = [DynamoDBRequestRate(dynamodb, closed.outputs["TableName"], lambda: now) for _ in range(STARTS)]
    granted = at_once(STARTS, lambda: rates.pop().take(key.id, FITTING).retry_after is None)
    assert sum(granted) == FITTING


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}


def usage(closed: Stack, key: dict[str, Any]) -> Any:
    return requests.get(f"{closed.base_url}/v1/usage", headers=bearer(key)).json()


def ended_one(closed: Stack, key: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The operation when it has ended, else nothing."""
    found = requests.get(closed.base_url + operation["urls"]["self"], headers=bearer(key)).json()
    return found if found["done"] else None


def test_a_race_through_the_api(closed: Stack, cli: Cli, until: Callable[..., Any]) -> None:
    key = cli("create", "--name", "racer", "--pictures-per-day", "3", "--concurrent", "9", "--json")
    body = {"model": "flux", "prompt": "[delay 60s] a race"}
    url = f"{closed.base_url}/v1/operations"
    answers = at_once(6, lambda: requests.post(url, json=body, headers=bearer(key)))
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    refused = [answer.text for answer in answers if answer.status_code != 202]
    assert len(accepted) == 3, refused
    assert all('"insufficient_quota"' in text for text in refused), refused
    assert usage(closed, key)["left"] == {"concurrent": 6, "pictures": 0, "micro_dollars": None}
    for operation in accepted:
        requests.post(closed.base_url + operation["urls"]["cancel"], headers=bearer(key)).raise_for_status()
    assert usage(closed, key)["running"] == 0
    until(lambda: cli("usage", key["id"], "--json")["days"] == usage(closed, key)["days"])


def test_what_cost_nothing_is_back_and_what_was_made_is_counted(
    closed: Stack, cli: Cli, until: Callable[..., Any]
) -> None:
    """Every role writes the usage ledger: `submit` here, because the upstream refuses, and `poll`."""
    key = cli("create", "--name", "billing", "--budget-per-day", "0.05", "--json")
    post = {"url": f"{closed.base_url}/v1/operations", "headers": bearer(key)}
    for _ in range(3):
        begun = requests.post(json={"model": "flux", "prompt": "[fault http-400] x", "n": 2}, **post).json()
        ended = until(lambda begun=begun: ended_one(closed, key, begun))
        assert (ended["state"], ended["error"]["code"]) == ("failed", "invalid_request")
        assert usage(closed, key)["left"]["micro_dollars"] == 50_000
    made = requests.post(json={"model": "flux", "prompt": "[delay 6s] x", "n": 2}, **post).json()
    assert usage(closed, key)["days"][0]["micro_dollars"] == 6000, "what the dearest provider would take"
    assert until(lambda: ended_one(closed, key, made))["state"] == "succeeded"
    assert usage(closed, key)["days"][0] == {"day": day_of(CLOCK.now()), "pictures": 2, "micro_dollars": 0}
    unpriced = requests.post(json={"model": "gpt-image-2", "prompt": "x"}, **post)
    assert (unpriced.status_code, unpriced.json()["code"]) == (403, "model_not_allowed")


def test_requests_a_minute(closed: Stack, cli: Cli) -> None:
    key = cli("create", "--name", "quick", "--rpm", "2", "--json")
    answers = [requests.get(f"{closed.base_url}/v1/models", headers=bearer(key)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[1].headers["x-ratelimit-remaining-requests"] == "0"
