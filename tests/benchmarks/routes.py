"""What routes of one's own cost the functions (issue #16): `make bench NAME=routes [N=200]`.

CPU of reading and checking a file, of choosing a route with and without a look at which keys are set, and the price of
reading a file of 4 KB from the table, by prices.toml.
"""

import json
import os
import statistics
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagegate.domain.errors import ModelNotAvailable
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.storage import PushedRoutes
from imagegate.providers.live_routes import LiveRoutes, RouteTables
from imagegate.providers.routes_file import LARGEST, parse_routes
from support.fakes import FakeClock

ROUNDS = int(os.environ.get("N", "200"))
PRICES = tomllib.loads((Path(__file__).parent / "prices.toml").read_text())["page"]
PROVIDER = """\
[providers.own-{number}]
protocol = "openai_images"
base_url = "https://images-{number}.example.com/v1"
keys = {{ OWN_KEY = "Bearer" }}
[models.own-{number}]
route = ["own-{number}/sdxl"]
"""


class NoRoutes:
    """A RoutesStore to which nothing was pushed."""

    def current(self) -> PushedRoutes | None:
        return None

    def get(self, version: str) -> PushedRoutes | None:
        return None


def milliseconds(action: Callable[[], Any], rounds: int) -> float:
    """Median CPU of the action."""
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        action()
        spent.append(time.process_time() - began)
    return round(statistics.median(spent) * 1000, 3)


def parsing(text: str) -> float:
    """Median CPU of reading and checking a file."""
    return milliseconds(lambda: parse_routes(text), 10)


def file_of(size: int) -> str:
    """A file of almost so many bytes."""
    text, number = "", 0
    while len(text) + len(PROVIDER) + 20 < size:
        text, number = text + PROVIDER.format(number=number), number + 1
    return text


def main() -> None:
    tables = RouteTables(NoRoutes(), FakeClock(), 1e9)
    names = frozenset({"OPENAI_API_KEY"})
    blind, knowing = LiveRoutes(tables), LiveRoutes(tables, lambda: names)
    request = ImageRequest(model="flux", messages=(Message("a red fox"),), routes="")

    def refused() -> None:
        try:
            knowing.resolve(ImageRequest(model="recraft", messages=(Message("a red fox"),), routes=""))
        except ModelNotAvailable:
            return
        raise AssertionError("recraft is available without a key")

    first = {
        "first_route_ms": milliseconds(lambda: blind.resolve(request), 1),
        "first_route_knowing_keys_ms": milliseconds(lambda: knowing.resolve(request), 1),
        "first_refusal_ms": milliseconds(refused, 1),
    }
    warm = {
        "route_ms": milliseconds(lambda: blind.resolve(request), ROUNDS),
        "route_knowing_keys_ms": milliseconds(lambda: knowing.resolve(request), ROUNDS),
        "refusal_ms": milliseconds(refused, ROUNDS),
    }
    files = {f"file_of_{size // 1024}_kb_ms": parsing(file_of(size)) for size in (1024, 4 * 1024, LARGEST)}
    per_million = round(PRICES["dynamodb_read_unit"] / 2 * 1_000_000, 4)
    print(json.dumps({**first, **warm, **files, "usd_per_million_reads_of_4_kb": per_million}))


if __name__ == "__main__":
    main()
