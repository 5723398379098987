"""Polls and detection delay of the learned schedule, against fixed intervals, backoff, and the best there can be.

`make bench NAME=schedule`; variables RUNS (trainings per figure), N (fresh jobs measured on) and SEED.

Everybody looks at whole seconds, at least 1 s and at most 300 s apart, as the workflow's Wait state can, except "every
0.5 s". So does the optimum: a dynamic programme over the true distribution on the 1 s grid. Ours has learned from 200
jobs as its own poller saw them, finished between two looks, over the same prior (20 s) for every distribution. All are
measured on the same fresh jobs.
"""

import json
import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.schedule_plot import Panel, draw
from benchmarks.schedule_simulation import (
    LESSONS,
    Frontier,
    Latency,
    Result,
    best_looks,
    either,
    learned,
    lognormal,
    mean,
    measured,
    pareto,
    steps,
    watched,
)
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import POLL_PRICE

LATENCIES = {
    "lognormal_5s": lognormal(5),
    "lognormal_30s": lognormal(30),
    "lognormal_10min": lognormal(600, deadline=1800),
    "bimodal": either(lognormal(3), lognormal(40)),
    "heavy_tail": pareto(5, 1.2),
}
TITLES = {
    "lognormal_5s": "log-normal, median 5 s",
    "lognormal_30s": "log-normal, median 30 s",
    "lognormal_10min": "log-normal, median 10 min",
    "bimodal": "bimodal, 3 s or 40 s",
    "heavy_tail": "heavy tail, Pareto 1.2 from 5 s",
}
DRIFTS = {"drift_slower": (lognormal(5), lognormal(40)), "drift_faster": (lognormal(40), lognormal(5))}
TITLES |= {"drift_slower": "5 s, then 40 s", "drift_faster": "40 s, then 5 s"}
PRICES = (0.5, 1.0, POLL_PRICE, 4.0, 8.0)
BLOCK = 25
PLOT = Path("build/bench/schedule.png")
Row = tuple[str, Result]


@dataclass(frozen=True)
class Study:
    """One distribution, watched in every way."""

    best: Frontier
    others: dict[str, Result]
    ours: dict[float, list[Result]]
    """By price; one result a training."""
    sparing: tuple[float, Result]
    """The lowest price at which ours takes no more polls than every 10 s does, and what it gives."""

    def ratio(self, result: Result) -> float:
        """Delay over the optimum's at the same number of polls."""
        return result.delay / self.best.delay(result.polls)

    def rows(self) -> list[Row]:
        """For the table."""
        price, sparing = self.sparing
        named = [(f"learned, a poll is {price:g} s", mean(runs)) for price, runs in self.ours.items()]
        return [*self.others.items(), *named, (f"learned, a poll is {price:.2f} s *", sparing)]

    def figures(self) -> dict[str, float]:
        """For the last line."""
        ours, fixed = mean(self.ours[POLL_PRICE]), self.others["every 10 s"]
        price, sparing = self.sparing
        figures = {
            "polls": ours.polls,
            "mean_delay": ours.delay,
            "p99_delay": ours.p99,
            "optimum_delay": self.best.delay(ours.polls),
            "ratio_to_optimum": self.ratio(ours),
            "ratio_to_optimum_worst_training": max(map(self.ratio, self.ours[POLL_PRICE])),
            "ratio_to_optimum_worst_price": max(self.ratio(mean(runs)) for runs in self.ours.values()),
            "fixed10_polls": fixed.polls,
            "fixed10_delay": fixed.delay,
            "price_at_no_more_polls": price,
            "polls_at_no_more_polls": sparing.polls,
            "delay_at_no_more_polls": sparing.delay,
            "saving_vs_fixed10_at_no_more_polls": 1 - sparing.delay / fixed.delay,
            "optimum_saving_vs_fixed10_at_no_more_polls": 1 - self.best.delay(fixed.polls) / fixed.delay,
        }
        return {name: round(value, 3) for name, value in figures.items()}


def study(latency: Latency, jobs: Sequence[float], seeds: Sequence[int]) -> Study:
    """Watch the jobs in every way."""
    others = {f"every {wait:g} s": _fixed(wait, latency, jobs) for wait in (0.5, 2, 10)}
    others["1 s doubling to 60 s"] = measured(steps(lambda at: at + min(at + 1, 60), latency.deadline), jobs)
    at_price = partial(learned, latency, jobs=jobs, seeds=seeds)
    sparing = _with_polls(others["every 10 s"].polls, lambda price: mean(at_price(price)))
    return Study(Frontier(latency, jobs), others, {price: at_price(price) for price in PRICES}, sparing)


def _fixed(wait: float, latency: Latency, jobs: Sequence[float]) -> Result:
    return measured(steps(lambda at: at + wait, latency.deadline), jobs)


def _with_polls(most: float, at_price: Callable[[float], Result]) -> tuple[float, Result]:
    """The lowest price of a poll at which there are no more than so many, and what it gives."""
    cheap, dear, found = 1e-2, 1e2, at_price(1e2)
    for _ in range(10):
        price = math.sqrt(cheap * dear)
        result = at_price(price)
        if result.polls > most:
            cheap = price
        else:
            dear, found = price, result
    return dear, found


def drifting(before: Latency, then: Latency, seeds: Sequence[int]) -> list[float]:
    """Mean delay in each BLOCK jobs, of which LESSONS are of the one kind and twice as many of the other."""
    delays = [_delays(before, then, seed) for seed in seeds]
    return [fmean(sum(run[start : start + BLOCK]) / BLOCK for run in delays) for start in range(0, 3 * LESSONS, BLOCK)]


def _delays(before: Latency, then: Latency, seed: int) -> list[float]:
    source, histogram, delays = random.Random(seed), Histogram(), []
    for number in range(3 * LESSONS):
        job = (before if number < LESSONS else then).draw(source)
        looks, histogram = watched(histogram, job, POLL_PRICE, before.deadline)
        delays.append(max(looks[-1] - job, 0.0))
    return delays


def drift_figures(blocks: Sequence[float], best: float) -> dict[str, float]:
    """For the last line: delays before the change, after it, and the optimum's."""
    change = LESSONS // BLOCK
    parts = {
        "delay_before": blocks[change - 2 : change],
        "delay_first_50_after": blocks[change : change + 2],
        "delay_100_to_150_after": blocks[change + 4 : change + 6],
        "delay_350_to_400_after": blocks[-2:],
        "optimum_delay_after": [best],
    }
    return {name: round(fmean(part), 3) for name, part in parts.items()}


def show(name: str, one: Study) -> None:
    """The distribution's part of the table."""
    for label, result in one.rows():
        best = one.best.delay(result.polls)
        over = f"{best:9.2f} {result.delay / best - 1:+7.0%}" if not math.isnan(best) else f"{'-':>9} {'-':>7}"
        print(f"{name:16} {label:28} {result.polls:8.2f} {result.delay:9.2f} {result.p99:9.2f} {over}")


def panel(name: str, one: Study) -> Panel:
    """The distribution's part of the plot."""
    ours = [(mean(runs).polls, mean(runs).delay) for _, runs in sorted(one.ours.items())]
    marks = {label: (result.polls, result.delay) for label, result in one.others.items()}
    return Panel(TITLES[name], "polls per job", "mean delay, s", {"optimum": one.best.points, "learned": ours}, marks)


def main() -> None:
    """Measure, print, plot."""
    runs, size, seed = (int(os.environ.get(name, default)) for name, default in (("RUNS", 6), ("N", 5000), ("SEED", 1)))
    print(f"{runs} trainings of {LESSONS} jobs a figure, {size} fresh jobs, SEED={seed}")
    print("delays in seconds; 'best' is the optimum's at the same number of polls; * no more polls than every 10 s")
    print(f"{'':16} {'':28} {'polls':>8} {'delay':>9} {'p99':>9} {'best':>9} {'over':>7}")
    seeds = [seed * 1000 + run for run in range(runs)]
    figures: dict[str, object] = {"seed": seed, "poll_price": POLL_PRICE}
    panels: list[Panel] = []
    for name, latency in LATENCIES.items():
        source = random.Random(seed)
        one = study(latency, [latency.draw(source) for _ in range(size)], seeds)
        show(name, one)
        figures[name], panels = one.figures(), [*panels, panel(name, one)]
    curves = {}
    for name, (before, then) in DRIFTS.items():
        blocks = drifting(before, then, seeds)
        jobs = [then.draw(random.Random(seed + number)) for number in range(size)]
        figures[name] = drift_figures(blocks, measured(best_looks(then, POLL_PRICE), jobs).delay)
        curves[TITLES[name]] = [((number + 0.5) * BLOCK, delay) for number, delay in enumerate(blocks)]
    print("drift: " + json.dumps({name: figures[name] for name in DRIFTS}))
    panels.append(Panel("drift at job 200", "jobs watched", "mean delay, s", curves, {}, log_x=False))
    draw(panels, PLOT)
    print(f"plot: {PLOT}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
