"""Every row of the error tables of docs/protocols, at the provider as models.toml sets it up."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.upstreams.error_rows import ROWS, Case
from contract.upstreams.further_error_rows import FURTHER_ROWS
from contract.upstreams.look_alike_rows import LOOK_ALIKES
from imagegate.domain.errors import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.providers import registry
from support.fakes import NoSecrets, ScriptedHttp

PAGES = Path(__file__).parents[3] / "docs" / "protocols"
EVERY = {**ROWS, **FURTHER_ROWS, **LOOK_ALIKES}
CODES = {code.value for code in FailureCode}
MODELS = {target.provider: target.model for route in registry.routes() for target in route.targets}
TICKETS: dict[str, dict[str, Any]] = {
    "bfl": {"url": "https://api.bfl.ai/v1/get_result?id=x"},
    "fal": {"path": "/fal-ai/flux/requests/764cabcf"},
    "gigachat": {"files": ["5f7e8d1c-7b3e-4d8a-9a43-0b1c2d3e4f50"]},
}
CASES = [(page, row, case) for page, rows in EVERY.items() for row, cases in rows.items() for case in cases]
WORD = re.compile(r"`([A-Za-z][\w.]*)`|\b([A-Z][a-z]\w+Exception|\d{4,5}|[45]\d\d)\b")
"""What a row names: identifiers, types of exceptions, numbers of errors, HTTP statuses."""


def rows_of(page: str) -> Iterator[str]:
    """The rows of the page's tables that say what is which code."""
    for line in (PAGES / f"{page}.md").read_text().splitlines():
        if line.startswith("|") and codes_in(line) and page != "providers":
            yield line.removeprefix("| ")
    if page == "providers":
        text = (PAGES / f"{page}.md").read_text().partition("\n## Look-alikes\n")[2].partition("\n## ")[0]
        yield from (line.removeprefix("| ") for line in text.splitlines() if codes_in(line))


def codes_in(line: str) -> set[str]:
    """Of its last cell."""
    return CODES & set(re.findall(r"`(\w+)`", line.rstrip(" |").rpartition("|")[2]))


def code_of(case: Case) -> FailureCode | None:
    """What the provider makes of the answers."""
    provider = registry.Providers(ScriptedHttp(list(case.answers)), NoSecrets(STAND_IN_SECRETS), {})(case.provider)
    try:
        if case.at == "submit":
            request = ImageRequest("m", (Message("a fox"),))
            provider.submit(UpstreamRequest(request, MODELS[case.provider], idempotency_key="k"))
            return None
        check = provider.check(Ticket(TICKETS.get(case.provider, {"id": "x"})), 0.0)
    except UpstreamError as error:
        return error.failure.code
    return check.failure.code if isinstance(check, Failed) else None


@pytest.mark.parametrize(("page", "row", "case"), CASES, ids=lambda value: getattr(value, "code", str(value)[:30]))
def test_an_answer_of_a_row_has_its_code(page: str, row: str, case: Case) -> None:
    assert code_of(case) == case.code


@pytest.mark.parametrize("page", sorted({path.stem for path in PAGES.glob("*.md")}))
def test_every_row_has_cases_for_all_that_it_names(page: str) -> None:
    found: list[str] = []
    for line in rows_of(page):
        [row] = [start for start in EVERY.get(page, {}) if line.startswith(start)] or [None]
        assert row, f"docs/protocols/{page}.md: no case for: {line}"
        found.append(row)
        cases = EVERY[page][row]
        assert {case.code for case in cases} == codes_in(line), line
        shown = " ".join(case.shown for case in cases)
        named = {word for words in WORD.findall(line) for word in words if word} - CODES
        assert {word for word in named if word not in shown} == set(), line
        assert "5xx" not in line or re.search(r"\b5\d\d\b", shown)
    assert found == list(EVERY.get(page, {})), "cases of rows that the page no longer has"
