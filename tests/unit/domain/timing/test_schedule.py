"""When to look: bounds, sanity, and a small version of the figure; `make bench NAME=schedule`."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.schedule_simulation import (
    Frontier,
    Latency,
    either,
    learned,
    learned_looks,
    lognormal,
    mean,
    pareto,
    trained,
    watched,
)
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import (
    FIRST_POLL,
    LONGEST_WAIT,
    POLL_PRICE,
    SHORTEST_WAIT,
    expected_remaining,
    first_poll_delay,
    next_poll_delay,
    retry_after,
    stream_open_delay,
)

ANY_TIME = st.floats(-10, 200_000)
HISTORY_LOOKS = 550  # 5,000 events at 9 a look


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    """Prior and a few completions."""
    histogram = Histogram(draw(st.floats(0.5, 3600)))
    for seconds in draw(st.lists(st.floats(0.05, 90_000), max_size=20)):
        histogram = histogram.with_observation(seconds)
    return histogram


@given(histograms(), ANY_TIME, ANY_TIME, st.floats(0.001, 1000))
def test_waits_stay_within_bounds(histogram: Histogram, elapsed: float, deadline_in: float, price: float) -> None:
    wait = next_poll_delay(histogram, elapsed, deadline_in, price=price)
    assert SHORTEST_WAIT <= wait <= LONGEST_WAIT
    assert wait <= max(deadline_in, SHORTEST_WAIT)


@given(histograms(), st.floats(0, 100_000), st.floats(1, 100_000))
def test_the_last_look_is_right_at_the_deadline(histogram: Histogram, elapsed: float, deadline_in: float) -> None:
    left = deadline_in - next_poll_delay(histogram, elapsed, deadline_in)
    assert left == 0 or left >= SHORTEST_WAIT - 1e-6


@given(histograms(), st.floats(0, 100_000))
def test_waits_within_an_invocation_may_be_shorter(histogram: Histogram, elapsed: float) -> None:
    assert 0.2 <= next_poll_delay(histogram, elapsed, 900, shortest=0.2) <= LONGEST_WAIT


@pytest.mark.slow
@given(histograms())
def test_dearer_looks_are_fewer(histogram: Histogram) -> None:
    poll_count = [len(learned_looks(histogram, price, 1800)) for price in (0.1, 3, 100)]
    assert poll_count[0] >= poll_count[1] - 2 >= poll_count[2] - 4


@settings(max_examples=20)
@given(st.one_of(st.just(86_400.0), st.floats(1, 86_400)), st.one_of(st.just(1e-9), st.floats(1e-6, 10)))
def test_no_operation_overruns_the_history_of_its_workflow(deadline: float, price: float) -> None:
    assert len(learned_looks(Histogram(), price, deadline)) <= HISTORY_LOOKS


@given(histograms(), st.floats(0, 100_000))
def test_clients_are_told_something_sensible(histogram: Histogram, elapsed: float) -> None:
    reported = retry_after(histogram, elapsed)
    assert isinstance(reported, int)
    assert 1 <= reported <= 59
    assert reported >= min(expected_remaining(histogram, elapsed), 59)
    assert 0 <= first_poll_delay(histogram) <= histogram.quantile(0.5)


def test_before_the_first_job_it_looks_around_the_expected_time() -> None:
    poll_count = learned_looks(Histogram(20), POLL_PRICE, 900, until=60)
    assert 2 <= poll_count[0] <= 15
    assert 4 <= len(poll_count) <= 20
    assert expected_remaining(Histogram(20), 0) == pytest.approx(20, rel=0.2)


@pytest.mark.parametrize("expected", [0.5, 6, 40, 600])
def test_a_guess_delays_the_first_poll_by_half_a_second_at_most(expected: float) -> None:
    histogram = Histogram(expected)
    for _ in range(9):
        assert first_poll_delay(histogram) <= stream_open_delay(histogram) <= FIRST_POLL
        histogram = histogram.with_observation(60)
    histogram = histogram.with_observation(60).with_observation(60)
    assert stream_open_delay(histogram) > first_poll_delay(histogram)
    assert stream_open_delay(histogram) > FIRST_POLL


def test_it_waits_until_jobs_usually_end_and_then_looks_closely() -> None:
    histogram = trained(lognormal(60), POLL_PRICE, seed=1)
    first = next_poll_delay(histogram, 0, 900)
    assert 30 < first < 60
    assert next_poll_delay(histogram, first, 900 - first) < first / 3
    assert 20 < first_poll_delay(histogram) < 40
    assert retry_after(histogram, 0) == 59
    assert retry_after(histogram, 60) < 30


def test_between_two_modes_it_does_not_look() -> None:
    histogram = trained(either(lognormal(3, sigma=0.2), lognormal(100, sigma=0.2)), POLL_PRICE, seed=1)
    poll_count = learned_looks(histogram, POLL_PRICE, 900, until=100)
    assert sum(12 < look < 55 for look in poll_count) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "latency",
    [lognormal(5), lognormal(30), lognormal(600, deadline=1800), either(lognormal(3), lognormal(40))],
    ids=["5 s", "30 s", "10 min", "3 s or 40 s"],
)
def test_after_200_jobs_delay_is_within_15_percent_of_the_optimum(latency: Latency) -> None:
    source = random.Random(1)
    jobs = [latency.draw(source) for _ in range(2000)]
    result = mean(learned(latency, POLL_PRICE, jobs, seeds=range(3)))
    assert result.delay <= 1.15 * Frontier(latency, jobs).delay(result.polls)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "then"), [(5, 40), (40, 5)])
def test_it_recovers_when_the_upstream_changes(before: float, then: float) -> None:
    source, histogram = random.Random(1), trained(lognormal(before), 2.0, seed=1)
    for _ in range(300):
        _, histogram = watched(histogram, lognormal(then).draw(source), 2.0, 900)
    jobs = [lognormal(then).draw(source) for _ in range(100)]
    delays = [watched(histogram, job, 2.0, 900)[0][-1] - job for job in jobs]
    assert sum(delays) / len(jobs) < 0.15 * then + 3


def test_a_heavy_tail_makes_no_runaway_waits() -> None:
    poll_count = learned_looks(trained(pareto(5, 1.2), POLL_PRICE, seed=1), POLL_PRICE, 3600)
    gaps = [later - earlier for earlier, later in pairwise(poll_count)]
    assert all(gap <= max(30, later) for gap, later in zip(gaps, poll_count, strict=False))
    assert max(gaps) <= LONGEST_WAIT
