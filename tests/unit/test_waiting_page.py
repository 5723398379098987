"""docs/waiting.md says what is measured and what the template has."""

import re
from pathlib import Path

import pytest

from benchmarks.waiting import ADDRESSES, SECONDS, Address, dollars
from imagegate.local.stack.packaging import load_yaml
from imagegate.local.stack.settings import LONG_HOLD_PORT
from support.stack_settings import TEMPLATE

PAGE = (Path(__file__).parents[2] / "docs" / "waiting.md").read_text()
PARAMETERS = load_yaml(TEMPLATE)["Parameters"]
ROW = {"redirects": "with redirects", "long hold": "long hold"}


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
def test_the_costs_are_those_that_are_counted(address: Address) -> None:
    [row] = re.findall(rf"^\| {ROW[address.name]} \| (.*) \|$", PAGE, re.MULTILINE)
    assert [float(cell) for cell in row.split(" | ")] == [round(dollars(address, seconds), 2) for seconds in SECONDS]


@pytest.mark.parametrize("name", ["HoldSeconds", "LongHoldSeconds", "LongHoldConcurrency"])
def test_every_number_is_the_templates(name: str) -> None:
    assert re.search(
        rf"`{name}`[^.]{{0,3}}\(?{PARAMETERS[name]['Default']}\b|{PARAMETERS[name]['Default']} \(`{name}`", PAGE
    )
    assert f"port {LONG_HOLD_PORT}" in PAGE
