"""What the pages say of costs is what the benchmarks count."""

import json
import re
from typing import Any

import pytest

from benchmarks import idle, performance, scale, waiting
from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

pytestmark = pytest.mark.slow

ROOT = TEMPLATE.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text()
DOCUMENT = idle.transformed()
FIGURES = json.loads(scale.FIGURES.read_text())


@pytest.mark.parametrize("name", idle.CASES)
def test_the_page_has_the_bill_of_an_idle_month(name: str) -> None:
    [dollars] = re.findall(rf"^\| {re.escape(name)} \| ([\d.]+) \|", PAGE.replace("`", ""), re.MULTILINE)
    assert float(dollars) == round(idle.bill(DOCUMENT, idle.CASES[name]).total(), 2)


def test_an_idle_deployment_costs_less_than_forty_cents_a_month() -> None:
    assert idle.bill(DOCUMENT, {}).total() <= 0.40


def test_the_front_page_says_so_too() -> None:
    cents = round(idle.bill(DOCUMENT, {}).total() * 100)
    assert f"idle deployment costs about {cents} cents a month" in " ".join((ROOT / "README.md").read_text().split())


def test_tracing_is_passive_unless_it_is_asked_for() -> None:
    modes = {
        name: entry["Properties"]["TracingConfig"]["Mode"]
        for name, entry in DOCUMENT["Resources"].items()
        if entry["Type"] == "AWS::Lambda::Function"
    }
    assert modes
    assert all(mode == {"Fn::If": ["TracesActively", "Active", "PassThrough"]} for mode in modes.values()), modes
    workflow = load_yaml(TEMPLATE)["Resources"]["Workflow"]["Properties"]
    assert workflow["Tracing"] == {"Enabled": {"Fn::If": ["TracesActively", True, False]}}


def test_a_resource_of_a_new_type_has_no_price() -> None:
    with pytest.raises(KeyError):
        idle.priced({"Type": "AWS::EC2::Instance", "Properties": {}}, {}, {}, {})


@pytest.mark.parametrize("made", [performance, scale], ids=["performance", "scale"])
def test_a_page_of_figures_is_up_to_date(made: Any) -> None:
    assert made.PAGE.read_text() == made.page(FIGURES), "run `make docs`"


def test_the_figures_of_idle_and_waiting_are_todays() -> None:
    """They are the same on every machine."""
    found = {name: round(idle.bill(DOCUMENT, parameters).total(), 3) for name, parameters in idle.CASES.items()}
    assert FIGURES["after"]["idle"].items() >= found.items()
    waited = {f"{seconds}s": round(waiting.dollars(waiting.ADDRESSES[0], seconds), 3) for seconds in waiting.SECONDS}
    assert FIGURES["after"]["waiting"]["redirects"] == waited


def test_a_figure_that_is_not_reached_is_explained() -> None:
    for row in performance.ROWS:
        now = performance.value(FIGURES["after"], row)
        assert now is not None, row
        assert performance.reached(row, now) or row.why, row


def test_a_rate_that_exceeds_more_than_one_bound_names_the_worst_first() -> None:
    shares = [[bound.use(rate) for bound in over] for rate, over in scale.rows(FIGURES["counted"])]
    assert shares[0] == []
    assert all(entry == sorted(entry, reverse=True) and min(entry, default=2) > 1 for entry in shares)
    assert [len(entry) for entry in shares] == sorted(len(entry) for entry in shares)


def test_the_front_page_has_the_cost_of_thirty_seconds() -> None:
    dollars = FIGURES["after"]["cost"]["openai 30s"]["everything"]
    text = " ".join((ROOT / "README.md").read_text().split())
    [cents] = re.findall(r"1,000 pictures of 30 seconds about (\d+) cents", text)
    assert abs(int(cents) / 100 - dollars) <= 0.03
    [told] = re.findall(
        r"^\| 1,000 pictures of 30 s, each with a waiting client \| about \$([\d.]+) \|", PAGE, re.MULTILINE
    )
    assert abs(float(told) - dollars) <= 0.03
