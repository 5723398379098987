"""What a batch used, and what that costs."""

import json
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cost_counting import Counts
from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

PRICES = tomllib.loads((Path(__file__).parent / "prices.toml").read_text())
PRICE: dict[str, float] = PRICES["page"] | PRICES["memory"]
DOCUMENT = load_yaml(TEMPLATE)
FUNCTIONS = ("api", "wait", "submit", "poll", "fail", "publish", "sweep")
HTTP = ("api", "wait")
"""The functions behind API Gateway."""
WORK = ("submit", "poll")
_LINE_EXTRA = 26
"""Bytes that CloudWatch Logs adds to each event."""
ACCESS_LINE = (
    len(json.dumps(DOCUMENT["Resources"]["ApiStage"]["Properties"]["AccessLogSettings"]["Format"])) + _LINE_EXTRA
)
"""Bytes: the names of the variables are about as long as their values."""
TRACED = DOCUMENT["Parameters"]["Tracing"]["Default"] == "active"
FULL_SPEED = 1769
"""Megabytes at which Lambda gives one whole CPU (docs/protocols/aws.md#cpu-of-a-function)."""


@dataclass
class Usage:
    """What one batch used, in all."""

    n: int
    transitions: Counter[str]
    counts: Counts
    milliseconds: dict[str, list[int]]
    """Billed, of each invocation, by function."""
    memory: dict[str, int]
    cpu: dict[str, float]
    """Seconds of CPU by function."""
    log_bytes: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    """Bytes of the answers to clients, without the pictures themselves."""
    delays: list[float] = field(default_factory=list)
    """Seconds from the end of each job to that of its attempt, its picture stored; empty for clients that wait."""

    @property
    def requests(self) -> int:
        """What API Gateway passed on."""
        return sum(len(self.milliseconds[name]) for name in HTTP)

    def gb_seconds(self, function: str, *, stretched: bool = False) -> float:
        seconds = sum(self.milliseconds[function]) / 1000
        if stretched:
            seconds += self.cpu[function] * (FULL_SPEED / self.memory[function] - 1)
        return seconds * self.memory[function] / 1024

    def dollars(self, *, stretched: bool = False) -> dict[str, float]:
        """Per 1,000 pictures, by component."""
        priced = {"transitions": self.transitions.total() * PRICE["states_transition"]}
        for name in FUNCTIONS:
            lambdas = self.gb_seconds(name, stretched=stretched) * PRICE["lambda_gb_second"]
            priced[f"lambda {name}"] = lambdas + len(self.milliseconds[name]) * PRICE["lambda_request"]
            for kind, amount in self.counts.units[name].items():
                group = "table" if kind.startswith("dynamodb") else kind.partition("_")[0]
                priced[f"{group} {name}"] = priced.get(f"{group} {name}", 0) + amount * PRICE[kind]
            priced[f"logs {name}"] = self.log_bytes[name] / 1e9 * PRICE["log_gb"]
        priced["http"] = self.requests * PRICE["http_api_request"]
        priced["logs access"] = self.requests * ACCESS_LINE / 1e9 * PRICE["log_gb"]
        priced["egress"] = self.answered / 1e9 * PRICE["egress_gb"]
        priced["traces"] = TRACED * (self.n + sum(map(len, self.milliseconds.values()))) * PRICE["trace"]
        priced["s3 client"] = self.n * PRICE["s3_get"]
        return {name: value / self.n * 1000 for name, value in priced.items() if value}


def work(dollars: dict[str, float]) -> float:
    """Generation work only, as the naive loop's figures count: transitions, and the Lambdas that submit and poll."""
    return sum(
        value for name, value in dollars.items() if name in ("transitions", *(f"lambda {entry}" for entry in WORK))
    )


def work_and_table(dollars: dict[str, float]) -> float:
    """With the table's reads and writes of that work."""
    return work(dollars) + sum(dollars.get(f"table {entry}", 0.0) for entry in WORK)
