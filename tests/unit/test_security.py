"""SECURITY.md and the template say what is so."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LOGGED = {"requestTime", "requestId", "httpMethod", "path", "status", "responseLatency", "integrationErrorMessage"}


def test_every_threat_is_covered_by_a_test_that_is_there() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = TEST.findall(row)
        assert named, row
        for path, test in named:
            assert f"def {test}(" in (ROOT / path).read_text(), (path, test)


def test_access_logs_hold_neither_query_nor_headers() -> None:
    [log_format] = re.findall(r"^ *Format: '(.*)'$", TEMPLATE, re.MULTILINE)
    assert set(re.findall(r"\$context\.([\w.]+)", log_format)) <= LOGGED


def test_what_is_deployed_without_a_word_is_closed() -> None:
    parameters = yaml.safe_load(TEMPLATE.split("\nConditions:")[0])["Parameters"]
    assert parameters["Access"]["Default"] == "keys"
    assert parameters["KeyCacheSeconds"]["MaxValue"] == 60
