"""A key's daily and concurrent limits, from the first reservation to the last settlement."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from imagegate.domain.access.api_key import ApiKey, KeyLimits, issue
from imagegate.domain.access.ledger import UsageTotals, day_of
from imagegate.domain.errors import QuotaExhausted, RateLimited, WrongState
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.account import Amount
from imagegate.domain.operation.coalescing import BURST
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Pending, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.usecases.start import GenerationRequest
from support import invariants
from support.fakes import MICRO_DOLLARS, failing, picture
from support.world import World, ready

DAY = 86_400.0


@pytest.fixture
def world() -> World:
    return World()


def key(**limits: int) -> ApiKey:
    return issue("test", 0.0, limits=KeyLimits(**limits))[0]


def used(world: World, key: ApiKey) -> Amount:
    """What is in the books of today, with what runs."""
    today = day_of(world.clock.now())
    found: UsageTotals = world.store.read(key.id, [today])
    return found.days.get(today, Amount()) + Amount(running=found.running)


def test_a_start_reserves_the_most_it_may_use_and_its_end_settles_what_it_used(world: World) -> None:
    own = key(concurrent=1, pictures_per_day=10)
    operation = world.begun(2, own)
    assert used(world, own) == Amount(1, 2, 6000)
    world.alpha.checks = [ready()]
    assert world.drive(operation).state is State.SUCCEEDED
    assert used(world, own) == Amount(0, 2, 4000)


@pytest.mark.parametrize("told", [0, 1500, 9000])
def test_what_the_upstream_says_it_charges_stands_in_the_books(world: World, told: int) -> None:
    own = key(pictures_per_day=10)
    world.alpha.checks = [replace(ready(), micro_dollars=told)]
    operation = world.drive(world.begun(1, own))
    assert operation.state is State.SUCCEEDED
    assert used(world, own) == Amount(0, 1, told)


def test_what_surely_cost_nothing_is_given_back(world: World) -> None:
    own = key(pictures_per_day=2)
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.AUTH)]
    for _ in range(5):
        assert world.drive(world.begun(2, own)).state is State.FAILED
    assert used(world, own) == Amount()


def test_of_several_pictures_those_that_were_made_are_kept_in_the_books(world: World) -> None:
    own = key(pictures_per_day=10)
    world.alpha.submissions = [Ticket({"job": 1}), failing(FailureCode.CONTENT_FILTERED)]
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun(3, own))
    assert ended.state is State.FAILED
    # The first is at work when the request is refused for the others' sake, and may be paid for.
    assert used(world, own) == Amount(0, 1, 2000)


def test_a_cancelled_operation_gives_back_what_it_had_not_begun(world: World) -> None:
    own = key(concurrent=1, pictures_per_day=10)
    world.cancel(world.begun(2, own))
    assert used(world, own) == Amount()
    begun = world.begun(2, own)
    world.submit(begun.id)
    world.cancel(world.now(begun))
    assert used(world, own) == Amount(0, 2, 4000), "both were submitted"


def test_a_cancelled_submission_counts_until_it_is_known_that_it_failed(world: World) -> None:
    """Cancelling in the middle of a blocking submission, then retrying, is no way to a free picture."""
    own = key(pictures_per_day=10)
    begun = world.begun(1, own)
    world.alpha.submit = lambda _: _cancelled_meanwhile(world, begun)  # type: ignore[method-assign]
    world.submit(begun.id)
    assert world.now(begun).state is State.CANCELLED
    assert used(world, own) == Amount(0, 1, 2000)


def _cancelled_meanwhile(world: World, operation: Operation) -> Ready:
    world.cancel(world.now(operation))
    assert world.store.usage_ledger
    return Ready(bodies=(picture(),))


def test_a_late_picture_was_paid_for_all_along(world: World) -> None:
    own = key(concurrent=1, pictures_per_day=10)
    world.alpha.checks = [Pending()]
    ended = world.drive(world.begun(1, own))
    assert (ended.state, used(world, own)) == (State.FAILED, Amount(0, 1, 2000))
    world.alpha.checks = [ready()]
    world.clock.sleep(400)
    world.sweep()
    late = world.drive(ended, run=world.workflow.runs[-1][1])
    assert late.late_pictures
    assert used(world, own) == Amount(0, 1, 2000)


def test_a_retry_reserves_anew_on_its_own_day(world: World) -> None:
    own = key(concurrent=1, pictures_per_day=10)
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    failed = world.drive(world.begun(2, own))
    spent = used(world, own)
    assert spent.pictures > 0
    yesterday = day_of(world.clock.now())
    world.clock.sleep(DAY)
    again = world.retry(failed, own)
    assert used(world, own) == Amount(1, 2, 6000)
    world.cancel(again)
    assert used(world, own) == Amount()
    assert world.store.read(own.id, [yesterday]).days[yesterday] == spent


def test_a_retry_beyond_the_limits_leaves_the_operation_as_it_was(world: World) -> None:
    own = key(pictures_per_day=2)
    first = world.cancel(world.begun(2, own))
    world.begun(1, own)
    with pytest.raises(QuotaExhausted):
        world.retry(first, own)
    assert world.now(first) == first
    assert used(world, own) == Amount(0, 1, 3000)


def test_a_retry_counts_for_the_key_that_asks_for_it(world: World) -> None:
    own, other = key(pictures_per_day=2), key(concurrent=2)
    first = world.cancel(world.begun(2, own))
    again = world.retry(first, other)
    assert (used(world, own), used(world, other)) == (Amount(), Amount(1, 2, 6000))
    world.cancel(again)
    unlimited = world.retry(world.now(again))
    assert unlimited.account is None
    assert (used(world, own), used(world, other)) == (Amount(), Amount())


def test_a_limit_is_for_the_day(world: World) -> None:
    own = key(pictures_per_day=1)
    world.begun(1, own)
    with pytest.raises(QuotaExhausted) as refused:
        world.begun(1, own)
    world.clock.sleep(refused.value.retry_after or 0)
    world.begun(1, own)


def test_operations_of_yesterday_are_still_under_way(world: World) -> None:
    own = key(concurrent=1)
    world.begun(1, own)
    world.clock.sleep(DAY)
    with pytest.raises(RateLimited, match="1 operations under way"):
        world.begun(1, own)


def test_a_repeated_request_reserves_once(world: World) -> None:
    own = key(concurrent=1, pictures_per_day=1)
    generation = GenerationRequest(
        request=ImageRequest(model="flux", messages=(Message("x"),)), dialect="openai_images", digest="d", coalesce=True
    )
    first = world.start(generation, key=own)
    assert world.start(replace(generation, retry_count=1), key=own) == first
    world.clock.sleep(BURST)
    assert world.start(generation, key=own) == first
    assert used(world, own) == Amount(1, 1, 3000)


def test_without_limits_nothing_is_counted(world: World) -> None:
    world.alpha.checks = [ready()]
    for own in (None, key(), key(requests_per_minute=1)):
        assert world.drive(world.begun(1, own)).account is None
    assert not world.store.usage_ledger


FAILED_AND_CHARGED = {
    "failed": failing(FailureCode.UPSTREAM_FAILED),
    "unknown": failing(FailureCode.AMBIGUOUS),
    "nonsense": failing(FailureCode.BAD_PAYLOAD),
    "timeout": failing(FailureCode.UPSTREAM_TIMEOUT),
}


@pytest.mark.parametrize("fault", FAILED_AND_CHARGED)
@pytest.mark.parametrize(("budget", "tries"), [(3000, 1), (3999, 1), (4000, 2), (6999, 2), (7000, 3), (None, 4)])
def test_no_try_is_made_for_which_the_budget_has_no_room(
    world: World, fault: str, budget: int | None, tries: int
) -> None:
    """Alpha costs 2000 and beta 3000, each is tried twice at most; 3000 are reserved."""
    own = key(pictures_per_day=9, **({"micro_dollars_per_day": budget} if budget else {}))
    world.alpha.submissions = world.beta.submissions = [FAILED_AND_CHARGED[fault]]
    ended = world.drive(world.begun(1, own))
    if fault == "unknown":
        tries = min(tries, 2)  # submissions of unknown outcome are repeated once, whatever the budget
    assert len(world.alpha.submitted) + len(world.beta.submitted) == len(ended.attempts) == tries
    spent = sum(MICRO_DOLLARS[attempt.provider] for attempt in ended.attempts)
    assert used(world, own) == Amount(0, 1, spent)
    assert budget is None or spent <= budget
    assert ended.failure
    assert (ended.failure.code is FailureCode.BUDGET_EXCEEDED) == (tries < (2 if fault == "unknown" else 4))


def test_who_gets_no_further_try_is_told_why(world: World) -> None:
    own = key(micro_dollars_per_day=3500)
    world.alpha.submissions = world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    ended = world.drive(world.begun(1, own))
    assert ended.failure
    assert ended.failure.message.endswith(
        "No further attempt: This API key has $0.0005 of its $0.0035 left today, and this request may cost $0.001."
    )
    assert ended.failure.message.startswith("said upstream_failed ")


def test_what_fits_or_costs_nothing_is_still_tried(world: World) -> None:
    world.routes = _prices(alpha=5000, beta=0)
    world.__post_init__()
    world.alpha.submissions = [failing(FailureCode.UPSTREAM_FAILED)]
    world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED), Ready(bodies=(picture(),))]
    ended = world.drive(world.begun(1, key(micro_dollars_per_day=9999)))
    assert ended.state is State.SUCCEEDED
    assert [attempt.provider for attempt in ended.attempts] == ["alpha", "beta", "beta"]


def test_pictures_that_were_made_are_handed_out_though_another_has_no_room(world: World) -> None:
    own = key(micro_dollars_per_day=6999)
    made, failed = Ready(bodies=(picture(),)), failing(FailureCode.UPSTREAM_FAILED)
    world.alpha.submissions, world.beta.submissions = [made, failed], [failed]
    ended = world.drive(world.begun(2, own))
    assert ended.failure
    assert ended.failure.code is FailureCode.BUDGET_EXCEEDED
    assert [picture.slot for picture in ended.pictures] == [0]
    assert used(world, own) == Amount(0, 2, 4000)


def test_a_try_that_turns_out_free_gives_its_room_back(world: World) -> None:
    own = key(micro_dollars_per_day=5000)
    throttled = failing(FailureCode.RATE_LIMITED)
    world.alpha.submissions, world.beta.submissions = [failing(FailureCode.UPSTREAM_FAILED)], [throttled]
    begun = world.begun(1, own)
    world.submit(begun.id)
    world.submit(begun.id)
    assert used(world, own) == Amount(0, 1, 3000)


def _prices(**micro_dollars: int) -> Routes:
    limits = Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
    targets = tuple(
        Target(provider=name, model="m", limits=limits, price_usd=price / 1e6) for name, price in micro_dollars.items()
    )
    return Routes([Route(model="flux", targets=targets)])


class Office(RuleBasedStateMachine):
    """Two keys with small limits, many operations, any fate, days passing; the books are right at every moment."""

    begun = Bundle("begun")

    @initialize(pictures=st.integers(1, 6), concurrent=st.integers(1, 3), cents=st.integers(1, 3))
    def open(self, pictures: int, concurrent: int, cents: int) -> None:
        self.world = World()
        self.keys = [key(pictures_per_day=pictures, concurrent=concurrent), key(micro_dollars_per_day=cents * 5000)]

    @rule(target=begun, who=st.integers(0, 1), n=st.integers(1, 3))
    def start(self, who: int, n: int) -> Any:
        own = self.keys[who]
        before = used(self.world, own)
        try:
            return self.world.begun(n, own).id
        except RateLimited:
            limits = own.limits
            full = before.running == limits.concurrent
            many = limits.pictures_per_day is not None and before.pictures + n > limits.pictures_per_day
            budget = limits.micro_dollars_per_day
            dear = budget is not None and before.micro_dollars + 3000 * n > budget
            assert full or many or dear, "refused without need"
            assert used(self.world, own) == before
            return self.world.begun(1).id

    @rule(one=begun, fate=st.sampled_from(["made", "free", "paid", "unknown", "pending"]))
    def step(self, one: str, fate: str) -> None:
        outcomes: dict[str, Any] = {
            "made": ([Ready(bodies=(picture(),))], [ready()]),
            "free": ([failing(FailureCode.AUTH)], [ready()]),
            "paid": ([failing(FailureCode.UPSTREAM_FAILED)], [ready()]),
            "unknown": ([failing(FailureCode.AMBIGUOUS)], [ready()]),
            "pending": ([Ticket({"job": 1})], [Pending()]),
        }
        for upstream in (self.world.alpha, self.world.beta):
            upstream.submissions, upstream.checks = outcomes[fate]
        self.world.submit(one)

    @rule(one=begun)
    def look(self, one: str) -> None:
        self.world.alpha.checks = self.world.beta.checks = [ready()]
        self.world.poll(one)

    @rule(one=begun)
    def cancel(self, one: str) -> None:
        stored = self.world.store.get(one)
        assert stored
        try:
            self.world.cancel(stored)
        except WrongState:
            assert stored.done

    @rule(one=begun, who=st.integers(0, 1))
    def retry(self, one: str, who: int) -> None:
        stored = self.world.store.get(one)
        assert stored
        try:
            self.world.retry(stored, self.keys[who])
        except WrongState:
            assert stored.state not in (State.FAILED, State.CANCELLED)
        except RateLimited:
            assert self.world.store.get(one) == stored

    @rule(seconds=st.sampled_from([1, 1000, DAY]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)

    @invariant()
    def the_books_are_right(self) -> None:
        store = self.world.store
        ids = dict.fromkeys(operation.id for operation in store.history)
        histories = [[operation for operation in store.history if operation.id == each] for each in ids]
        invariants.books_hold_what_operations_use(histories, store.usage_ledger, MICRO_DOLLARS)

    @invariant()
    def no_limit_is_overrun(self) -> None:
        for (owner, day), amount in self.world.store.usage_ledger.items():
            limits = next(key.limits for key in self.keys if key.id == owner)
            if day == "running":
                assert amount.running <= (limits.concurrent or 0)
            elif limits.pictures_per_day is not None:
                assert amount.pictures <= limits.pictures_per_day
            else:
                assert amount.micro_dollars <= (limits.micro_dollars_per_day or 0)


@pytest.mark.slow
def test_whatever_happens_the_books_are_right() -> None:
    settled = settings(max_examples=100, stateful_step_count=30)
    run_state_machine_as_test(Office, settings=settled)
