"""Every row of the error tables of docs/protocols, at the provider as models.toml sets it up."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.upstreams.error_rows import ROWS, Case
from contract.upstreams.further_error_rows import FURTHER_ROWS
from contract.upstreams.look_alike_rows import LOOK_ALIKES
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
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
FOR_PEOPLE = ("message", "msg", "detail", "error", "reason", "description", "error_message", "responseContent", "title")
"""Fields of texts for people to read, those first that say most."""
WORDS = "zebra seven"
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


def failure_of(case: Case) -> Failure | None:
    """What the provider makes of the answers."""
    provider = registry.Providers(ScriptedHttp(list(case.answers)), NoSecrets(STAND_IN_SECRETS), {})(case.provider)
    try:
        if case.at == "submit":
            request = ImageRequest(model="m", messages=(Message("a fox"),))
            provider.submit(UpstreamRequest(request=request, model=MODELS[case.provider], idempotency_key="k"))
            return None
        check = provider.check(Ticket(TICKETS.get(case.provider, {"id": "x"})), 0.0)
    except UpstreamError as error:
        return error.failure
    return check.failure if isinstance(check, Failed) else None


def texts_in(document: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts of a JSON document that are for people to read, each with its path."""
    members = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in members:
        if isinstance(value, dict | list):
            yield from texts_in(value, (*where, name))
        elif isinstance(value, str) and [each for each in (*where, name) if isinstance(each, str)][-1] in FOR_PEOPLE:
            yield (*where, name), value


def with_words(case: Case) -> Case | None:
    """The case with more words in the text that says most; `None` when there is no such text."""
    try:
        document = json.loads(case.answers[-1].body)
    except ValueError:
        return None
    found = list(texts_in(document)) if isinstance(document, dict) else []
    if not found:
        return None
    (*where, name), text = max(found, key=lambda each: (each[0][-1] in FOR_PEOPLE[:3], len(each[1])))
    inner = document
    for step in where:
        inner = inner[step]
    inner[name] = f"{text} {WORDS}"
    return replace(case, answers=(*case.answers[:-1], replace(case.answers[-1], body=json.dumps(document).encode())))


@pytest.mark.parametrize(("page", "row", "case"), CASES, ids=lambda value: getattr(value, "code", str(value)[:30]))
def test_an_answer_of_a_row_has_its_code(page: str, row: str, case: Case) -> None:
    failure = failure_of(case)
    assert (failure and failure.code) == case.code


@pytest.mark.parametrize(
    "case",
    [worded for _, _, case in CASES if (worded := with_words(case))],
    ids=lambda case: f"{case.provider}-{case.code}",
)
def test_an_error_has_the_upstreams_own_words_once(case: Case) -> None:
    failure = failure_of(case)
    assert failure is None or failure.message.count(WORDS) == 1, failure.message


def test_most_errors_have_words_of_their_own() -> None:
    assert sum(with_words(case) is not None and failure_of(case) is not None for _, _, case in CASES) > 190


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
