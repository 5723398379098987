"""Switches in prompts: what is read, what is refused, and that the documentation says the same."""

from pathlib import Path

import pytest

from imagegate.local.upstreams.directives import (
    FAULTS,
    ROWS,
    DirectiveError,
    Directives,
    Fault,
    Row,
    describe_directives,
    parse_directives,
)

DOCS = Path(__file__).parents[4] / "docs" / "stand-ins.md"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("70s", 70), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5), ("3", 3), ("70 S", 70), ("9999999m", 86400)],
)
def test_delay_is_seconds(written: str, seconds: float) -> None:
    assert parse_directives(f"a fox [delay {written}]", "gradio").delay == seconds


def test_a_prompt_without_switches_asks_for_nothing() -> None:
    assert parse_directives("a [red] fox, delayed by faults [at night]", "gradio") == Directives()


def test_several_switches_are_read_together() -> None:
    read = parse_directives("[Delay 1s][bytes 1500000] fox [FAULT http-503 x2] [fault hang at check]", "yandexart")

    assert read == Directives(1.0, 1_500_000, (Fault("http-503", "submit", 2), Fault("hang", "check", None)))


def test_a_fault_strikes_at_its_default_call_of_the_protocol() -> None:
    assert parse_directives("[fault drop]", "gradio").faults == (Fault("drop", "check", None),)
    assert parse_directives("[fault drop]", "yandexart").faults == (Fault("drop", "submit", None),)


def test_xn_strikes_the_first_n_calls_of_its_stage() -> None:
    directives = parse_directives("[fault http-503 x2]", "openai")

    assert [directives.next_fault("submit", call) for call in (1, 2, 3)] == ["http-503", "http-503", None]
    assert directives.next_fault("fetch", 1) is None


def test_faults_follow_one_another() -> None:
    directives = parse_directives("[fault http-429 x1] [fault html x2]", "openai")

    assert [directives.next_fault("submit", call) for call in (1, 2, 3)] == ["http-429", "html", None]


@pytest.mark.parametrize(
    "prompt",
    [
        "[delay soon]",
        "[delay]",
        "[bytes many]",
        "[bytes 999999999999]",
        "[fault]",
        "[fault nonsense]",
        "[fault http-503 x]",
        "[fault http-503 at noon]",
        "[fault refuse at check]",
        "[fault chopped at submit]",
    ],
)
def test_what_cannot_be_honoured_is_refused(prompt: str) -> None:
    with pytest.raises(DirectiveError):
        parse_directives(prompt, "gradio")


def test_the_refusal_names_the_faults_this_upstream_knows() -> None:
    with pytest.raises(DirectiveError, match=r"known: http-429, .*truncated") as refused:
        parse_directives("[fault expired-url]", "yandexart")

    assert "redirect-private" not in str(refused.value)


@pytest.mark.parametrize("row", [row for row in ROWS if row.is_fault], ids=lambda row: row.name)
def test_every_row_is_honoured_as_written(row: Row) -> None:
    for protocol, stages in FAULTS[row.name].stages.items():
        if protocol != "chat":
            assert parse_directives(row.syntax, protocol).faults == (Fault(row.name, stages[0], None),)
        for stage in stages:
            assert parse_directives(f"[fault {row.name} at {stage}]", protocol).faults[0].stage == stage


def test_a_language_model_and_who_makes_the_picture_pass_over_each_others_switches() -> None:
    prompt = "[delay 3s] [fault http-503 x1] [delay 1s at expand] [fault chatty at expand x2] a fox"

    assert parse_directives(prompt, "chat") == Directives(1.0, faults=(Fault("chatty", "expand", 2),))
    assert parse_directives(prompt, "gradio") == Directives(3.0, faults=(Fault("http-503", "submit", 1),))


@pytest.mark.parametrize("prompt", ["[fault nonsense at expand]", "[fault black at expand]", "[delay soon at expand]"])
def test_a_language_model_refuses_what_it_cannot_honour(prompt: str) -> None:
    assert parse_directives(prompt, "openai") == Directives()
    with pytest.raises(DirectiveError):
        parse_directives(prompt, "chat")


def test_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_the_documentation_holds_exactly_the_generated_table() -> None:
    _, _, after = DOCS.read_text().partition("a test compares -->\n")

    assert after.strip() == describe_directives(), (
        "docs/stand-ins.md is stale: replace its table by the output of python -m imagegate.local.upstreams.directives"
    )
