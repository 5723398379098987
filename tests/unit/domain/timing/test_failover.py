"""Who is asked next, and when; and whom to spare."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.route import Route, Target
from imagegate.domain.timing.circuit import FAILURES, PROVIDER_FAULTS, Circuit
from imagegate.domain.timing.failover import choose, last_failure, last_throttled

NOW = 1000.0
LIMITS = Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
ROUTE = Route(
    model="flux",
    targets=(Target(provider="alpha", model="m", limits=LIMITS), Target(provider="beta", model="m", limits=LIMITS)),
)


def attempt(provider: str, code: FailureCode | None, *, ended_at: float = NOW, **changes: object) -> Attempt:
    failure = Failure(code, str(code)) if code else None
    state = AttemptState.UNKNOWN if code is FailureCode.AMBIGUOUS else AttemptState.FAILED
    made = Attempt(
        number=1,
        provider=provider,
        model="m",
        slots=(0,),
        state=state,
        started_at=1.0,
        ended_at=ended_at,
        failure=failure,
    )
    return replace(made, **changes)


def upstream_request(code: FailureCode) -> Iterator[str]:
    attempts: list[Attempt] = []
    while choice := choose(ROUTE, attempts, {}, NOW):
        yield choice.target.provider
        attempts.append(attempt(choice.target.provider, code))


def test_turns_are_taken_in_the_routes_order() -> None:
    assert list(upstream_request(FailureCode.UPSTREAM_FAILED)) == ["alpha", "beta", "alpha", "beta"]


@pytest.mark.parametrize("code", [FailureCode.AUTH, FailureCode.NO_CREDIT, FailureCode.NOT_FOUND])
def test_what_will_not_change_is_asked_once(code: FailureCode) -> None:
    assert list(upstream_request(code)) == ["alpha", "beta"]


def test_an_unknown_outcome_is_risked_once() -> None:
    assert list(upstream_request(FailureCode.AMBIGUOUS)) == ["alpha", "beta"]


FREE = Route(
    model="flux",
    targets=(
        Target(provider="alpha", model="m", limits=LIMITS, price_usd=0.0),
        Target(provider="beta", model="m", limits=LIMITS, price_usd=0.04),
    ),
)
FREE_ALONE = replace(FREE, targets=FREE.targets[:1])


def test_a_free_submission_of_unknown_outcome_is_repeated_with_growing_pauses() -> None:
    attempts, pauses, now = list[Attempt](), list[float](), NOW
    for _ in range(30):
        choice = choose(FREE_ALONE, attempts, {}, now)
        assert choice
        pauses.append(choice.at - now)
        now = choice.at
        attempts.append(attempt("alpha", FailureCode.AMBIGUOUS, ended_at=now))
    assert pauses[:6] == [0, 0, 5, 10, 20, 40]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300


@pytest.mark.parametrize("price", [None, 0.000001, 0.04])
def test_one_that_may_have_cost_is_risked_once_whatever_is_free_beside_it(price: float | None) -> None:
    route = replace(FREE, targets=(FREE.targets[0], replace(FREE.targets[1], price_usd=price)))
    attempts, asked = list[Attempt](), list[str]()
    now = NOW
    for _ in range(20):
        choice = choose(route, attempts, {}, now)
        assert choice
        now = choice.at
        asked.append(choice.target.provider)
        attempts.append(attempt(choice.target.provider, FailureCode.AMBIGUOUS, ended_at=now))
    assert asked.count("beta") == 2
    paid_alone = replace(route, targets=route.targets[1:])
    assert choose(paid_alone, attempts, {}, now) is None


def test_a_free_provider_that_fails_otherwise_has_its_turns_like_any_other() -> None:
    lost, failed = attempt("alpha", FailureCode.AMBIGUOUS), attempt("alpha", FailureCode.UPSTREAM_FAILED)
    assert choose(FREE_ALONE, [lost, lost, lost, failed], {}, NOW)
    assert choose(FREE_ALONE, [lost, lost, lost, failed, failed], {}, NOW) is None
    assert choose(FREE_ALONE, [lost, attempt("alpha", FailureCode.AUTH)], {}, NOW) is None


def test_a_lost_submission_is_recovered_where_it_can_be_before_another_provider_is_paid() -> None:
    recovering = replace(LIMITS, recovers_submissions=True)
    route = replace(
        ROUTE,
        targets=(
            Target(provider="alpha", model="m", limits=recovering),
            Target(provider="beta", model="m", limits=LIMITS),
        ),
    )
    lost = attempt("alpha", FailureCode.AMBIGUOUS)
    choice = choose(route, [lost], {}, NOW)
    assert choice
    assert choice.target.provider == "alpha"
    beta_lost = replace(lost, provider="beta")
    choice = choose(route, [beta_lost], {}, NOW)
    assert choice
    assert choice.target.provider == "alpha", "nothing is lost there"
    choice = choose(route, [lost], {"alpha": NOW + 60}, NOW)
    assert choice
    assert choice.target.provider == "beta", "it may not be asked now"
    choice = choose(route, [lost, attempt("alpha", FailureCode.UPSTREAM_FAILED)], {}, NOW)
    assert choice
    assert choice.target.provider == "beta", "it has had its turns"


@pytest.mark.parametrize(("said", "wait"), [(40.0, 40.0), (None, 5.0)])
def test_throttled_providers_are_asked_again_when_they_said(said: float | None, wait: float) -> None:
    throttled = replace(
        attempt("alpha", FailureCode.RATE_LIMITED), failure=Failure(FailureCode.RATE_LIMITED, "slow", said)
    )
    alone = Route(model="flux", targets=ROUTE.targets[:1])
    choice = choose(alone, [throttled], {}, NOW)
    assert choice
    assert choice.at == NOW + wait
    both = choose(ROUTE, [throttled], {}, NOW)
    assert both
    assert (both.target.provider, both.at) == ("beta", NOW)


def test_backoff_grows_and_stops_growing() -> None:
    alone = Route(model="flux", targets=ROUTE.targets[:1])
    waits = []
    for repeats in range(12):
        choice = choose(alone, [attempt("alpha", FailureCode.CAPACITY, repeats=repeats)], {}, NOW)
        assert choice
        waits.append(choice.at - NOW)
    assert waits == sorted(waits)
    assert waits[-1] == 300.0


def test_spared_providers_come_last() -> None:
    choice = choose(ROUTE, [], {"alpha": NOW + 10}, NOW)
    assert choice
    assert choice.target.provider == "beta"
    later = choose(ROUTE, [], {"alpha": NOW + 10, "beta": NOW + 20}, NOW)
    assert later
    assert (later.target.provider, later.at) == ("alpha", NOW + 10)


@given(st.lists(st.tuples(st.sampled_from(["alpha", "beta"]), st.sampled_from(FailureCode)), max_size=30))
def test_no_history_makes_an_endless_loop(history: list[tuple[str, FailureCode]]) -> None:
    attempts = [attempt(provider, code) for provider, code in history]
    for _ in range(10):
        choice = choose(ROUTE, attempts, {}, NOW)
        if choice is None:
            break
        assert choice.at >= NOW
        attempts.append(attempt(choice.target.provider, FailureCode.UPSTREAM_FAILED))
    else:
        pytest.fail("ten more turns")


def test_only_a_throttled_attempt_is_continued() -> None:
    throttled, failed = attempt("alpha", FailureCode.CAPACITY), attempt("alpha", FailureCode.UPSTREAM_FAILED)
    assert last_throttled([throttled], "alpha") is throttled
    assert last_throttled([throttled], "beta") is None
    assert last_throttled([throttled, failed], "alpha") is None


def test_the_reason_is_not_that_somebody_has_no_key() -> None:
    attempts = [attempt("alpha", FailureCode.UPSTREAM_FAILED), attempt("beta", FailureCode.AUTH)]
    assert last_failure(attempts).code is FailureCode.UPSTREAM_FAILED
    assert last_failure(attempts[1:]).code is FailureCode.AUTH


def test_a_circuit_opens_probes_and_closes() -> None:
    circuit = Circuit()
    for number in range(FAILURES - 1):
        circuit = circuit.failed(NOW, f"operation {number}")
        assert circuit.failed(NOW, f"operation {number}") == circuit
        assert circuit.open_until == 0.0
        assert circuit.probing(NOW) is None
    circuit = circuit.failed(NOW, "the last")
    assert circuit.open_until > NOW
    assert circuit.probing(NOW) is None
    later = circuit.open_until
    probe = circuit.probing(later)
    assert probe
    assert probe.open_until > later
    assert probe.probing(later) is None
    worse = probe.failed(later, "the last")
    assert worse.open_until - later > circuit.open_until - NOW


def test_a_circuit_never_stays_open_for_long() -> None:
    circuit = Circuit()
    now = NOW
    for number in range(100):
        now = max(now, circuit.open_until)
        circuit = (circuit.probing(now) or circuit).failed(now, str(number))
    assert circuit.open_until - now == 300.0


def test_neither_our_account_nor_the_request_speaks_against_a_provider() -> None:
    blameless = {FailureCode.AUTH, FailureCode.NO_CREDIT, FailureCode.CONTENT_FILTERED, FailureCode.INVALID_REQUEST}
    assert not blameless & PROVIDER_FAULTS


def test_being_turned_away_loses_no_turn_however_often() -> None:
    alone = Route(model="flux", targets=ROUTE.targets[:1])
    throttled = attempt("alpha", FailureCode.RATE_LIMITED)
    assert choose(alone, [throttled] * 3, {}, NOW)
    assert not choose(alone, [replace(throttled, ready_at=NOW)] * 3, {}, NOW), "it was made, and then not handed out"


def test_who_says_when_to_come_back_is_believed_but_ever_less() -> None:
    alone = Route(model="flux", targets=ROUTE.targets[:1])
    waits = []
    for repeats in (0, 10, 40):
        failure = Failure(FailureCode.RATE_LIMITED, "slow", 2.0)
        choice = choose(alone, [attempt("alpha", None, repeats=repeats, failure=failure)], {}, NOW)
        assert choice
        waits.append(round(choice.at - NOW, 1))
    assert waits == [2.0, 2.6, 45.3]


def test_an_attempt_without_a_reason_does_not_hide_the_others() -> None:
    assert last_failure([attempt("alpha", FailureCode.CAPACITY), attempt("beta", None)]).code is FailureCode.CAPACITY


def test_a_probe_that_fails_opens_the_circuit_for_twice_as_long_whoever_made_it() -> None:
    circuit = Circuit()
    for number in range(FAILURES):
        circuit = circuit.failed(NOW, str(number))
    probe = circuit.probing(circuit.open_until)
    assert probe
    later = circuit.open_until
    assert probe.failed(later, "0").open_until - later == 2 * (circuit.open_until - NOW)


def test_a_circuit_remembers_the_last_operations_only() -> None:
    circuit = Circuit()
    for number in range(FAILURES + 2):
        now = NOW + number * 1000
        circuit = (circuit.probing(now) or circuit).failed(now, str(number))
    assert circuit.operations == tuple(str(number) for number in range(2, FAILURES + 2))
