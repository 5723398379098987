"""A new account's ten functions, and clients that ask at once: how long until all have their pictures.

`make bench NAME=crowd`; variables SECONDS_EACH (what an upstream takes), SEEDS. Simulated: crowd_simulation.py.
"""

import json
import os

from benchmarks.crowd_simulation import BEFORE, Crowd, Design, deployed

CLIENTS = (5, 10, 20, 40)


def worst(design: Design, clients: int, seconds: float, seeds: int) -> dict[str, int]:
    """The longest wait, and the most operations that ended at their deadline, over seeds and kinds of upstreams."""
    runs = [Crowd(design, seconds, stream, seed=seed).run(clients) for seed in range(seeds) for stream in (True, False)]
    return {
        "last": round(max(run.served[-1] for run in runs)),
        "deadline_exceeded": max(run.states["deadline_exceeded"] for run in runs),
        "unserved": max(clients - len(run.served) for run in runs),
    }


def main() -> None:
    """A line for each design, then the last line."""
    seconds, seeds = float(os.environ.get("SECONDS_EACH", "20")), int(os.environ.get("SEEDS", "5"))
    designs = {"before": BEFORE, "HoldSeconds=5": Design(BEFORE.retry, 5, 900, yields=False)}
    designs |= {"retries alone": Design(deployed().retry, 25, 900, yields=False), "now": deployed()}
    figures = {}
    for name, design in designs.items():
        figures[name] = {clients: worst(design, clients, seconds, seeds) for clients in CLIENTS}
        print(f"{name:14} {figures[name]}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
