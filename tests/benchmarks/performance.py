"""The page of figures: `make bench NAME=performance` prints docs/performance.md from figures.json.

figures.json holds the last lines of the benchmarks: `before` at commit cc58ce0, or where that has no such benchmark
just before the change; `after` now. `make docs` writes the page.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks import scale
from benchmarks.scale import FIGURES

PAGE = FIGURES.parents[2] / "docs" / "performance.md"


@dataclass(frozen=True)
class Row:
    """A figure, and where the benchmark's last line has it."""

    what: str
    bench: str
    path: tuple[str, ...]
    wanted: float | None = None
    why: str = ""
    """Why it is not reached."""
    high: bool = False
    """True for a rate, which shall be high; everything else shall be low."""


ROWS = (
    Row("Idle deployment, dollars a month", "idle", ("default",), 0.40),
    Row("1,000 pictures of 3 s for the openai package, dollars", "cost", ("openai 3s", "everything"), 0.12),
    Row("1,000 pictures of 30 s, dollars", "cost", ("openai 30s", "everything"), 0.20),
    Row("1,000 pictures of 10 min, dollars", "cost", ("openai 10min", "everything"), 1.2),
    Row("Waiting of 1,000 clients for 30 s, dollars", "waiting", ("redirects", "30s")),
    Row("Waiting of 1,000 clients for 10 min, dollars", "waiting", ("redirects", "600s"), 1.2),
    Row(
        "Cold start of `api` by FastAPI, Mangum and boto3 with two clients",
        "coldstart",
        ("api", "ratio"),
        1.0,
        "0.94 to 1.06 by the run; FastAPI's own import is a quarter of it, and stays",
    ),
    Row("Cold start of `wait` by the same", "coldstart", ("wait", "ratio"), 0.6),
    Row("Cold start of `submit` by httpx and boto3 with two clients", "coldstart", ("submit", "ratio"), 0.95),
    Row("Cold start of `poll` by the same", "coldstart", ("poll", "ratio"), 0.95),
    Row(
        "Cold start of `publish` by boto3 with one client",
        "coldstart",
        ("publish", "ratio"),
        1.05,
    ),
    Row("Accepted request, warm, by its AWS calls alone", "requests", ("ratio",)),
    Row(
        "Accepted request, warm, by that of 2026-11-28 in turns",
        "requests",
        ("by_other",),
        0.82,
        "botocore's two calls are three fifths of it; what came since checks and routes more",
    ),
    Row("Accepted request, warm, by LiteLLM's proxy, in turns", "requests", ("by_litellm",)),
    Row("Accepted request, warm, by g4f's server, in turns", "requests", ("by_g4f",)),
    Row("Restarts by `sweep`, a second", "sweep", ("restarts_a_second",), 200, high=True),
    Row("Starts and ends of a key with large limits, a second", "scale", ("key_starts_a_second",), 300, high=True),
    Row("Operations of one owner, a second", "scale", ("owner_a_second",), 1000, high=True),
    Row(
        "First dozen pictures of a model, if the upstream answers at once, ms",
        "latency",
        ("blocking", "first_dozen_ms"),
        1000,
    ),
    Row("The same, if the upstream tells the end in a stream, ms", "latency", ("hold", "first_dozen_ms")),
    Row(
        "32 clients at a cold embedded stack, p99 up to their pictures by that of 2026-11-28",
        "burst",
        ("p99_ratio",),
        0.5,
    ),
    Row("200 operations among faults: lost", "faults", ("lost",), 0),
    Row("The same: stuck", "faults", ("stuck",), 0),
    Row("The same: paid twice in silence", "faults", ("silent_duplicates",), 0),
    Row("The same: not announced", "faults", ("unannounced",), 0),
    Row("The same: failed as `ambiguous` although free", "faults", ("ambiguous_for_nothing",), 0),
    Row(
        "A list of 10 of 100,000 operations, read units",
        "listing",
        ("units_with_n", "list"),
        1,
        "each of the ten is read by its id, for half a unit; with 10 in the table it is the same",
    ),
    Row(
        "The same, by a state that none has, read units",
        "listing",
        ("units_with_n", "list, no such state"),
        300,
    ),
    Row("Memory of `poll` with four pictures of 8 megapixels, MB", "pictures", ("poll_mb_most",), 512),
)


def value(figures: dict[str, Any], row: Row) -> float | None:
    """The figure; `None` where there is no such measurement."""
    found: Any = figures.get(row.bench)
    for name in row.path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, int | float) else None


def reached(row: Row, now: float) -> bool:
    """Whether it is as wanted."""
    if row.wanted is None:
        return True
    return now >= row.wanted if row.high else now <= row.wanted


def cells(row: Row, figures: dict[str, Any]) -> str:
    """A line of the table."""
    before, now = value(figures["before"], row), value(figures["after"], row)
    wanted = "" if row.wanted is None else f"{row.wanted:g}"
    was = "" if before is None else _shown(before)
    assert now is not None, row
    why = "" if reached(row, now) else row.why
    return f"| {row.what} | `{row.bench}` | {was} | {_shown(now)} | {wanted} | {why} |"


def _shown(figure: float) -> str:
    """Three digits, and whole numbers as they are."""
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}"


LAYERS = ("inspect", "preview", "xmp", "c2pa", "check", "convert")


def picture_cells(figures: dict[str, Any]) -> str:
    """The lines of the table of pictures: CPU milliseconds by layer."""
    cpu = figures["after"]["pictures"]["cpu_ms"]
    lines = ((size, kind, taken) for size, kinds in cpu.items() for kind, taken in kinds.items())
    return "\n".join(
        f"| {size} {kind.upper()} | "
        + " | ".join(f"{taken[layer]:.{1 if taken[layer] < 10 else 0}f}" for layer in LAYERS)
        + " |"
        for size, kind, taken in lines
    )


def page(figures: dict[str, Any]) -> str:
    """docs/performance.md."""
    return _PAGE.format(
        machine=figures["machine"],
        prices=figures["after"]["cost"]["prices"],
        pictures=picture_cells(figures),
        memory=figures["after"]["pictures"]["memory_mb"],
        rows="\n".join(cells(row, figures) for row in ROWS),
    )


_PAGE = """<!-- Generated by `make docs` from tests/benchmarks/figures.json; do not edit. -->
# Performance

Measured on {machine}. CPU is given as a ratio to something that the same run measures, so that it holds on other
machines. Dollars are list prices of us-east-1 ({prices}) for counted calls, without free tiers and without
upstreams.

## Pictures

CPU milliseconds of that machine for one picture (`make bench NAME=pictures`). A function with {memory} MB has 0.29 of a
core.

| picture | check and decode | preview | XMP | signature | check of a signature | conversion |
|---|---|---|---|---|---|---|
{pictures}

The conversion is PNG to WebP, JPEG to PNG, WebP to JPEG. A signature with a key in KMS also waits for KMS.

## Targets

| | `make bench NAME=` | before | now | target | why it is missed |
|---|---|---|---|---|---|
{rows}

LiteLLM and g4f keep nothing of a request, and their figure holds their HTTP server. Cold starts are those of the layer
as it is built, on CPython 3.13; those before were measured on CPython 3.11.

*Before* is the state of 2026-11-28; its faults were those of 150 operations. Its cost is measured with today's
benchmark, which counts the requests of a client that waits. [Scale](scale.md) says what breaks first at which rate.

## Cold starts by SnapStart

Neither SnapStart nor provisioned concurrency is a parameter. Both work on published versions of a function only, so
API Gateway would have to call an alias. SAM makes versions and aliases always or never, not by a condition. And it
publishes a new version only for other code or properties: after a change of a parameter, such as `KeyCacheSeconds`,
the alias would go on with the old value. What they would cost for `api` in us-east-1: SnapStart $1.95 a month for each
version, and SAM keeps every version that it has published; provisioned concurrency $4.32 a month for each environment
that stays warm. SnapStart would save about 0.3 s of a cold start.
"""


def main() -> None:
    """The page, then the last line; with `pages`, write this page and docs/scale.md."""
    figures = json.loads(FIGURES.read_text())
    if sys.argv[1:] == ["pages"]:
        PAGE.write_text(page(figures))
        scale.PAGE.write_text(scale.page(figures))
        return
    print(page(figures))
    missed = [row.what for row in ROWS if not reached(row, value(figures["after"], row) or 0.0)]
    print(json.dumps({"figures": len(ROWS), "missed": missed}))


if __name__ == "__main__":
    main()
