"""What is learned about how long an upstream takes."""

import json
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.timing.latency import LONGEST, MEMORY, Histogram

SECONDS = st.floats(0, 200_000)
SHARES = st.floats(0, 1)


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    """Prior and a few sightings of every kind."""
    histogram = Histogram(draw(st.floats(0.5, 3600)))
    for earlier, later in draw(st.lists(st.tuples(SECONDS, SECONDS), max_size=5)):
        histogram = histogram.observed_between(min(earlier, later), max(earlier, later))
    for seconds in draw(st.lists(SECONDS, max_size=3)):
        histogram = histogram.with_observation(seconds).censored(seconds)
    return histogram


def seen(*times: float, expected: float = 20.0) -> Histogram:
    histogram = Histogram(expected)
    for seconds in times:
        histogram = histogram.with_observation(seconds)
    return histogram


@given(histograms(), st.lists(SECONDS, min_size=2))
def test_survival_falls_from_one_to_zero(histogram: Histogram, times: list[float]) -> None:
    alive = [histogram.survival(seconds) for seconds in sorted(times)]
    assert histogram.survival(0) == 1.0
    assert histogram.survival(LONGEST) == pytest.approx(0, abs=1e-9)
    assert all(0 <= later <= earlier + 1e-9 <= 1 + 1e-9 for earlier, later in pairwise(alive))


@given(histograms(), SHARES, SHARES)
def test_quantiles_undo_the_survival_and_rise(histogram: Histogram, share: float, other: float) -> None:
    low, high = sorted((share, other))
    assert 0 <= histogram.quantile(low) <= histogram.quantile(high) <= LONGEST
    assert histogram.survival(histogram.quantile(share)) == pytest.approx(1 - share, abs=1e-6)


@given(histograms(), SECONDS, SHARES)
def test_what_remains_is_conditional_on_what_has_passed(histogram: Histogram, elapsed: float, share: float) -> None:
    remaining = histogram.remaining_quantile(elapsed, share)
    assert 0 <= remaining <= LONGEST
    alive = histogram.survival(elapsed)
    assert histogram.survival(elapsed + remaining) == pytest.approx(alive * (1 - share), abs=1e-6)


@given(histograms())
def test_a_histogram_survives_json_and_stays_small(histogram: Histogram) -> None:
    text = json.dumps(histogram.to_document(), separators=(",", ":"))
    assert Histogram.from_document(json.loads(text), histogram.expected_seconds) == histogram
    assert len(text) < 6000


@pytest.mark.slow
@given(histograms(), SECONDS, SECONDS)
def test_every_sighting_weighs_one(histogram: Histogram, one: float, other: float) -> None:
    before = histogram.count * math.exp(-1 / MEMORY)
    for after in (
        histogram.with_observation(one),
        histogram.censored(one),
        histogram.observed_between(min(one, other), max(one, other)),
    ):
        assert after.count == pytest.approx(before + 1, abs=0.25)  # but for what is negligible


@pytest.mark.slow
@given(histograms(), SECONDS, SECONDS)
def test_a_sighting_stays_between_its_looks(histogram: Histogram, one: float, other: float) -> None:
    earlier, later = min(one, other), max(one, other)
    empty = Histogram(histogram.expected_seconds)
    for bucket, _ in empty.observed_between(earlier, later).weights:
        low, high = empty.with_observation(earlier).weights[0][0], empty.with_observation(later).weights[0][0]
        assert low <= bucket <= high


def test_before_the_first_observation_the_prior_speaks() -> None:
    assert Histogram(30).quantile(0.5) == pytest.approx(30, rel=0.2)
    assert Histogram(30).quantile(0.05) == pytest.approx(30 / math.exp(1.64), rel=0.4)
    assert Histogram(30).survival(3600) > 0


def test_one_observation_moves_the_prior_but_does_not_replace_it() -> None:
    after = seen(300, expected=10)
    assert Histogram(10).quantile(0.5) < after.quantile(0.5) < 200


def test_many_observations_leave_nothing_of_the_prior() -> None:
    source = random.Random(1)
    histogram = seen(*(600 * math.exp(0.4 * source.gauss(0, 1)) for _ in range(300)), expected=5)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        normal = {0.1: -1.28, 0.25: -0.674, 0.5: 0, 0.75: 0.674, 0.9: 1.28}[share]
        assert histogram.quantile(share) == pytest.approx(600 * math.exp(0.4 * normal), rel=0.12)


def test_the_old_is_forgotten() -> None:
    drifted = seen(*[60.0] * 500, *[6.0] * 500)
    assert drifted.survival(20) < 0.12
    assert drifted.count < MEMORY + 1


def test_looks_alone_show_the_distribution() -> None:
    source, histogram = random.Random(2), Histogram()
    for _ in range(400):
        seconds = 30 * math.exp(0.4 * source.gauss(0, 1))
        step = source.uniform(5, 15)
        earlier = seconds // step * step
        histogram = histogram.observed_between(earlier, earlier + step)
    assert histogram.quantile(0.5) == pytest.approx(30, rel=0.1)
    assert histogram.quantile(0.1) == pytest.approx(18, rel=0.2)
    assert histogram.quantile(0.9) == pytest.approx(50, rel=0.2)


def test_jobs_given_up_teach_that_it_takes_longer() -> None:
    histogram = Histogram(10)
    for _ in range(50):
        histogram = histogram.censored(60)
    assert histogram.survival(60) > 0.95
    assert histogram.remaining_quantile(60, 0.5) > 5


def test_a_surprise_is_not_put_only_where_it_surprises_least() -> None:
    used_to_it = seen(*[40.0] * 200)
    surprised = used_to_it.observed_between(0, 30)
    assert surprised.count * (surprised.survival(0) - surprised.survival(15)) > 0.08
    assert surprised.count * (surprised.survival(15) - surprised.survival(30)) > 0.5
