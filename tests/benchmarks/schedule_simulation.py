"""Jobs of known distributions, watched by the learned schedule and by the best there can be."""

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from statistics import fmean

from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import LONGEST_WAIT, next_poll_delay

LESSONS = 200
"""Jobs watched before ours is measured."""


@dataclass(frozen=True)
class Latency:
    """A distribution of completion times, in seconds."""

    draw: Callable[[random.Random], float]
    survival: Callable[[float], float]
    deadline: int = 900


@dataclass(frozen=True)
class Result:
    """The cost of a polling strategy for a job: polls, and seconds from its end to the poll that finds it."""

    polls: float
    delay: float
    p99: float


def lognormal(median: float, deadline: int = 900, sigma: float = 0.4) -> Latency:
    """Half of the jobs take longer than `median` seconds; 68 % are within a factor of e^sigma."""
    return Latency(
        lambda source: median * math.exp(sigma * source.gauss(0, 1)),
        lambda t: 0.5 * math.erfc(math.log(t / median) / sigma / math.sqrt(2)) if t > 0 else 1.0,
        deadline,
    )


def either(first: Latency, second: Latency) -> Latency:
    """One or the other, evenly."""
    return Latency(
        lambda source: (first if source.random() < 0.5 else second).draw(source),
        lambda t: (first.survival(t) + second.survival(t)) / 2,
    )


def pareto(least: float, alpha: float) -> Latency:
    """None under `least` seconds, and then a tail of hours."""
    return Latency(
        lambda source: least * source.paretovariate(alpha), lambda t: (max(t, least) / least) ** -alpha, 3600
    )


def steps(after: Callable[[float], float], end: float) -> list[float]:
    """From each moment to the next: from 0, which is left out, to the first that is not before `end`."""
    moments = [after(0)]
    while moments[-1] < end:
        moments.append(after(moments[-1]))
    return moments


def measured(looks: Sequence[float], jobs: Sequence[float]) -> Result:
    """Poll each job at these seconds; a job that the last poll does not find adds no delay."""
    found = [bisect_left(looks, job) for job in jobs]
    delays = sorted(looks[at] - job for at, job in zip(found, jobs, strict=True) if at < len(looks))
    polls = fmean(min(at + 1, len(looks)) for at in found)
    return Result(polls, sum(delays) / len(jobs), delays[int(0.99 * len(delays))])


@lru_cache(maxsize=2)
def _each_second(latency: Latency) -> tuple[list[float], list[float]]:
    """The survival, and its integral from 0."""
    alive = [latency.survival(second) for second in range(latency.deadline + 1)]
    parts = (fmean(latency.survival(at + (part + 0.5) / 8) for part in range(8)) for at in range(latency.deadline))
    return alive, list(accumulate(parts, initial=0.0))


def best_looks(latency: Latency, price: float) -> list[float]:
    """The poll times that minimise E[delay] + price * E[polls] for a known distribution."""
    (alive, waited), end = _each_second(latency), latency.deadline
    to_go, after = [0.0] * (end + 1), [end] * (end + 1)
    for now in reversed(range(end)):
        least = math.inf
        for then in range(now + 1, min(end, now + int(LONGEST_WAIT)) + 1):
            delay = alive[now] * (then - now) - waited[then] + waited[now]
            if delay > least:
                break
            if delay + to_go[then] < least:
                least, after[now] = delay + to_go[then], then
        to_go[now] = least + price * alive[now]
    return steps(lambda at: after[int(at)], end)


class Frontier:
    """The least mean delay at any mean number of polls. Between two schedules the optimum may toss a coin."""

    def __init__(self, latency: Latency, jobs: Sequence[float]) -> None:
        results = (measured(best_looks(latency, 2 ** (third / 3)), jobs) for third in range(-15, 22))
        self.points = sorted({(result.polls, result.delay) for result in results})

    def delay(self, polls: float) -> float:
        """Seconds at so many polls."""
        for (fewer, longer), (more, shorter) in pairwise(self.points):
            if fewer <= polls <= more:
                return longer + (polls - fewer) / (more - fewer) * (shorter - longer)
        return math.nan


def learned_looks(histogram: Histogram, price: float, deadline: float, until: float = math.inf) -> list[float]:
    """The seconds at which our schedule polls, up to the first that is not before `until`."""

    def after(at: float) -> float:
        return at + round(next_poll_delay(histogram, at, deadline - at, price=price))

    return steps(after, min(until, deadline))


def watched(histogram: Histogram, job: float, price: float, deadline: float) -> tuple[list[float], Histogram]:
    """The polls of one job, and the histogram that learned from them."""
    looks = learned_looks(histogram, price, deadline, until=job)
    if looks[-1] < job:
        return looks, histogram.censored(looks[-1])
    return looks, histogram.observed_between(looks[-2] if len(looks) > 1 else 0.0, looks[-1])


def trained(latency: Latency, price: float, seed: int) -> Histogram:
    """What ours knows after LESSONS jobs."""
    source, histogram = random.Random(seed), Histogram()
    for _ in range(LESSONS):
        _, histogram = watched(histogram, latency.draw(source), price, latency.deadline)
    return histogram


def learned(latency: Latency, price: float, jobs: Sequence[float], seeds: Iterable[int]) -> list[Result]:
    """Ours, trained and then measured, once for each seed."""
    histograms = (trained(latency, price, seed) for seed in seeds)
    return [measured(learned_looks(histogram, price, latency.deadline), jobs) for histogram in histograms]


def mean(results: Sequence[Result]) -> Result:
    """The average of each figure."""
    return Result(*map(fmean, zip(*((result.polls, result.delay, result.p99) for result in results), strict=True)))
