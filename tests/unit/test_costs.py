"""What the pages say of costs is what the benchmarks count."""

import re

import pytest

from benchmarks import idle
from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

ROOT = TEMPLATE.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text()
DOCUMENT = idle.transformed()


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
