"""Hostile requests on the `api` function and the front door: no 5xx, no hang, no traceback, nothing secret logged.

Web pages of other origins and names that lead to loopback at the servers of `imagegate serve`: nothing passes.
Forged events on the function `deliver`: nothing is sent but what happened.
Hostile pictures from upstreams and callers: refused in words, at once, and nothing of them is stored. Of pictures with
another file behind them only the picture is stored.

make bench NAME=hostile [N=10000] [SEED=1]. The last line is one JSON object; the exit status is 1 when anything was
wrong. What is behind the function is in memory, and as strict as DynamoDB about the size of an item.
"""

import faulthandler
import json
import os
import sys

from support.forgery import besiege
from support.fuzz_server import gateway
from support.hostile import requests
from support.hostile_cases import each_case
from support.hostile_pages import invocation
from support.hostile_pictures import lay_pictures
from support.hostile_polyglots import lay_polyglots
from support.siege import LONGEST_SECONDS, Siege, captured, lay_in_batches
from support.smuggling import RAW, attempt

SCHEMA_SHARE = 0.2
FORGED_SHARE, FORGED_WORLDS = 0.1, 10
PAGES_SHARE = 0.1
PICTURES_SHARE = 0.05
RAW_EACH = 2
HANGS_SECONDS = 120


def smuggle(siege: Siege) -> None:
    """Send every raw request some times through the front door."""
    made, key = gateway()
    with captured() as log:
        for trick, raw in list(RAW.items()) * RAW_EACH:
            statuses, wrong = attempt(made.app, raw)
            siege.tried["raw"] += 1
            siege.statuses.update(statuses)
            siege.complaints.extend(f"raw: {trick}: {complaint}" for complaint in wrong)
    if "Traceback" in log.getvalue() or key in log.getvalue():
        siege.complaints.append("raw: a traceback or the key is in the log")


def main() -> None:
    """Run the campaign and print what it found."""
    count, seed = int(os.environ.get("N", "10000")), int(os.environ.get("SEED", "1"))
    faulthandler.dump_traceback_later(HANGS_SECONDS * max(1, count // 1000), exit=True)
    siege = Siege()
    made, key = gateway()
    each_case(round(count * SCHEMA_SHARE), key, lambda entry: siege.lay(made, key, [entry]))
    smuggle(siege)
    for at in range(FORGED_WORLDS):
        besiege(siege, round(count * FORGED_SHARE / FORGED_WORLDS), seed * FORGED_WORLDS + at)
    invocation(siege, round(count * PAGES_SHARE / 2), seed)
    lay_pictures(siege, round(count * PICTURES_SHARE), seed)
    lay_polyglots(siege)
    left = max(0, count - siege.tried.total())
    lay_in_batches(siege, left, lambda at, some, key: requests(seed * 1_000_000 + at, some, key))
    for complaint in siege.complaints[:20]:
        print(complaint[:1000])
    report = {
        "requests": siege.tried.total(),
        "seed": seed,
        "kinds": dict(sorted(siege.tried.items())),
        "statuses": {str(status): number for status, number in sorted(siege.statuses.items())},
        "complaints": len(siege.complaints),
        "slowest_seconds": round(siege.slowest_seconds, 3),
        "allowed_seconds": LONGEST_SECONDS,
    }
    print(json.dumps(report))
    sys.exit(bool(siege.complaints))


if __name__ == "__main__":
    main()
