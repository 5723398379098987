"""What 1,000 pictures cost in infrastructure: calls counted in real runs of the embedded stack x the public prices.

`make bench NAME=cost`; variables N (operations a run), ONLY (a part of a run's name), LONG=1 (10 min in real time).

Upstream jobs take log-normal times with a median of 3 s, 30 s or 10 min; the schedule has learned from 200 of them.
Each run has a stack of its own: one batch warms the functions, the next is counted, while nothing else happens.
Every client has an API key. "poll" and "hold" are asynchronous clients, which start an operation and read it once;
"openai" is the openai package, which waits: its POST, redirects, claims, logs and answers are counted as well.
"webhook" is asynchronous, at an upstream that says when a job has ended, or (off) could and does not. The
download of the pictures themselves is in no figure: $0.09 for 1,000 pictures of 1 MB, after 100 GB a month.
Without LONG, 10 minutes are the 30 s run with as many polls as benchmarks.schedule says, at measured prices, and the
waiting is that of benchmarks.waiting (`sweep` is in the bill of an idle month). Local CPU is not Lambda's: GB-seconds
are wall time here times the template's memory, and "stretched" is with the CPU share of it (of both user and system,
per process) as slow as Lambda makes it below 1,769 MB.
"""

import json
import os
import random
from collections import Counter
from statistics import fmean, median
from typing import Any

from benchmarks.cost_runs import Case, run
from benchmarks.cost_usage import ACCESS_LINE, FUNCTIONS, PRICE, PRICES, Usage, work, work_and_table
from benchmarks.schedule_simulation import learned, lognormal, mean
from benchmarks.waiting import ADDRESSES, counted, dollars
from imagegate.domain.timing.client_steps import POLL_PRICE as CLIENT_POLL_PRICE
from imagegate.domain.timing.schedule import POLL_PRICE
from imagegate.workflow.next_step import HOOKED_PRICE

NAIVE = {"3s": 0.21, "30s": 0.52, "10min": 1.36}
"""Dollars: the Wait/Task/Choice loop with fixed polls, docs/protocols/aws.md#fixed-polls."""
TARGET = {"3s": 0.12, "30s": 0.20, "10min": 0.35}
WAITING_TARGET = {"3s": 0.12, "30s": 0.20, "10min": 1.2}
"""Dollars with everything counted, for a client that waits."""
LONG_JOBS = {"30s": 30.0, "10min": 600.0}
POLLED, HELD = ("yandex-art-legacy", "yandexart", "yandex-art/latest"), ("flux", "black-forest-labs", "flux-1-schnell")
LISTED = ("flux", "replicate", "black-forest-labs/flux-schnell")
CASES = [
    Case("poll 3s", 3, *POLLED),
    Case("poll 30s", 30, *POLLED),
    Case("hold 3s", 3, *HELD),
    Case("hold 30s", 30, *HELD),
    Case("webhook-off 30s", 30, *LISTED),
    Case("webhook-on 30s", 30, *LISTED, hooks=True),
    Case("openai 3s", 3, *HELD, waits=True),
    Case("openai 30s", 30, *HELD, waits=True),
    Case("openai-poll 30s", 30, *POLLED, waits=True),
]
SCALE_CASES = [
    Case("counted-held 10s", 10, *HELD, waits=True),
    Case("counted-polled 10s", 10, *POLLED, waits=True),
]
"""What one picture uses, for benchmarks.scale; not priced."""
LONG_CASES = [
    Case("poll 10min", 600, *POLLED),
    Case("webhook-off 10min", 600, *LISTED),
    Case("webhook-on 10min", 600, *LISTED, hooks=True),
]


def polls_a_picture(usage: Usage) -> float:
    """Visits of the state Poll, and steps that a waiting client has had taken after the first."""
    steps = len(usage.milliseconds["submit"]) - usage.transitions["Submit"]
    return (usage.transitions["Poll"] + max(steps - usage.n, 0)) / usage.n


def ten_minutes(usage: Usage) -> tuple[float, dict[str, float]]:
    """From the 30 s run, whose one poll stays for seconds: many polls that do not.

    A poll in vain is three transitions, a read, and an invocation as long as a submission; the last one takes as long
    as the shortest that found its picture.
    """
    latency = lognormal(600, deadline=3600)
    source = random.Random(0)
    jobs = [latency.draw(source) for _ in range(2000)]
    polls = mean(learned(latency, POLL_PRICE, jobs=jobs, seeds=range(3))).polls
    more = polls - polls_a_picture(usage)
    gigabyte_second = usage.memory["poll"] / 1024 * PRICE["lambda_gb_second"]
    last = min(usage.milliseconds["poll"]) / 1000 * gigabyte_second + PRICE["lambda_request"]
    vain = median(usage.milliseconds["submit"]) / 1000 * gigabyte_second + PRICE["lambda_request"]
    extra = {
        "transitions": 3 * more * PRICE["states_transition"],
        "lambda poll": more * vain + last,
        "table poll": more * PRICE["dynamodb_read_unit"],
    }
    found = usage.dollars() | {"lambda poll": 0.0}
    return polls, found | {name: found.get(name, 0.0) + value * 1000 for name, value in extra.items()}


def waiting_ten_minutes(usage: Usage) -> tuple[float, dict[str, float]]:
    """Of a client that drives its operation, from its 30 s run: more polls, and the requests of ten minutes.

    A poll in vain is an invocation as long as the median, a read, and at every third one a write of two units to the
    item and two to its index.
    """
    latency, source = lognormal(600, deadline=3600), random.Random(0)
    jobs = [latency.draw(source) for _ in range(2000)]
    polls = mean(learned(latency, CLIENT_POLL_PRICE, jobs=jobs, seeds=range(3))).polls
    more = polls - polls_a_picture(usage)
    gigabyte_second = usage.memory["submit"] / 1024 * PRICE["lambda_gb_second"]
    times = sorted(usage.milliseconds["submit"])
    vain = median(times) / 1000 * gigabyte_second + PRICE["lambda_request"]
    last = times[-usage.n] / 1000 * gigabyte_second + PRICE["lambda_request"]
    found = usage.dollars()
    table = more * (PRICE["dynamodb_read_unit"] + 4 / 3 * PRICE["dynamodb_write_unit"])
    hops = counted(ADDRESSES[0], 600)
    logs = 2 * ACCESS_LINE * hops["http_api_request"] / 1e9 * PRICE["log_gb"] * 1000  # the function's lines are as long
    theirs = (
        "lambda api",
        "lambda wait",
        "http",
        "logs access",
        "logs wait",
        "table wait",
        "lambda sweep",
        "table sweep",
    )
    own = {name: value for name, value in found.items() if name not in theirs}
    return polls, own | {
        "lambda submit": (polls * vain + last) * 1000,
        "table submit": found["table submit"] + table * 1000,
        "waiting": dollars(ADDRESSES[0], 600),
        "logs waiting": logs,
    }


def shown(name: str, polls: float, dollars: dict[str, float], stretched: dict[str, float] | None) -> dict[str, Any]:
    """One run's figures: printed, and for the last line."""
    latency = name.split()[1]
    figures = {
        "polls": round(polls, 2),
        "generation_work": round(work(dollars), 4),
        "with_table": round(work_and_table(dollars), 4),
        "everything": round(sum(dollars.values()), 4),
        "naive_generation_work": NAIVE[latency],
        "target": (WAITING_TARGET if name.startswith("openai") else TARGET)[latency],
    }
    if stretched:
        figures["generation_work_stretched"] = round(work(stretched), 4)
        figures["everything_stretched"] = round(sum(stretched.values()), 4)
    print(f"\n{name}: dollars per 1,000 pictures, {polls:.2f} polls a picture")
    for component, value in sorted(dollars.items(), key=lambda pair: -pair[1]):
        print(f"  {component:18} {value:8.4f}")
    for figure, value in figures.items():
        print(f"  = {figure:26} {value:8.4f}")
    return figures


def simulate_hooks(name: str, seconds: float) -> dict[str, float]:
    """Polls a picture and detection delay by the schedule alone: without webhooks, with them, and if all are lost.

    With them, the poll of the webhook is one more, and the delay is what the runs of this benchmark measure.
    """
    latency, source = lognormal(seconds, deadline=3600), random.Random(0)
    jobs = [latency.draw(source) for _ in range(2000)]
    without, lost = (
        mean(learned(latency, price, jobs=jobs, seeds=range(3))) for price in (POLL_PRICE, POLL_PRICE * HOOKED_PRICE)
    )
    figures = {
        "polls_without": round(without.polls, 2),
        "delay_without": round(without.delay, 1),
        "polls_with": round(lost.polls + 1, 2),
        "delay_if_lost": round(lost.delay, 1),
    }
    print(f"  webhooks, simulated, {name}: {figures}")
    return figures


def used_by_one(usage: Usage) -> dict[str, float]:
    """What one picture uses of that of which there is only so much a second."""
    calls = sum(usage.counts.calls.values(), Counter[str]())
    used = {
        "lambda_seconds": sum(sum(times) for times in usage.milliseconds.values()) / 1000,
        "requests": usage.requests,
        "starts": calls["AWSStepFunctions.StartExecution"],
        "transitions": usage.transitions.total(),
        "writes": sum(units["dynamodb_write_unit"] for units in usage.counts.units.values()),
        "put_events": calls["AWSEvents.PutEvents"],
        "s3_puts": calls["S3.PUT"],
    }
    return {name: round(amount / usage.n, 2) for name, amount in used.items()}


def describe(usage: Usage) -> None:
    """The counts behind the dollars."""
    each = {name: round(count / usage.n, 2) for name, count in usage.transitions.items()}
    print(f"  transitions a picture: {each}")
    for name in FUNCTIONS:
        if usage.milliseconds[name]:
            calls = {call: round(count / usage.n, 2) for call, count in usage.counts.calls[name].items()}
            units = {kind: round(count / usage.n, 2) for kind, count in usage.counts.units[name].items()}
            times = len(usage.milliseconds[name])
            cpu = usage.cpu[name] / times * 1000
            wall = fmean(usage.milliseconds[name])
            print(f"  {name}: {times / usage.n:.2f} invocations, {wall:.0f} ms, {cpu:.0f} ms of CPU; {calls}; {units}")


def main() -> None:
    """Every case, then the last line."""
    n, only = int(os.environ.get("N", "8")), os.environ.get("ONLY", "")
    cases = [*CASES, *SCALE_CASES, *LONG_CASES] if os.environ.get("LONG") else [*CASES, *SCALE_CASES]
    print(f"prices of {PRICES['date']}, {PRICES['region']}, {PRICES['architecture']}; {n} operations a run")
    figures: dict[str, Any] = {"prices": PRICES["date"], "n": n}
    for case in cases:
        if only not in case.name:
            continue
        usage = run(case, n)
        if case in SCALE_CASES:
            figures[case.name] = used_by_one(usage)
            print(f"\n{case.name}: what one picture uses: {figures[case.name]}")
            describe(usage)
            continue
        figures[case.name] = shown(case.name, polls_a_picture(usage), usage.dollars(), usage.dollars(stretched=True))
        describe(usage)
        if usage.delays:
            figures[case.name]["detection_seconds"] = round(fmean(usage.delays), 2)
            print(f"  {fmean(usage.delays):.2f} s from the end of the job to the stored picture, on average")
        if case.name == "webhook-on 30s":
            figures |= {f"webhooks {name}": simulate_hooks(name, seconds) for name, seconds in LONG_JOBS.items()}
        if case.name == "poll 30s" and not os.environ.get("LONG"):
            polls, found = ten_minutes(usage)
            figures["poll 10min"] = shown("poll 10min", polls, found, None)
        if case.name == "openai-poll 30s":
            figures["openai 10min"] = shown("openai 10min", *waiting_ten_minutes(usage), None)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
