"""Directives in prompts: what is parsed, and what is refused."""

import re

import pytest

from imagegate.local.upstreams.app import STAND_INS
from imagegate.local.upstreams.chat.faults import FAULTS as CHAT
from imagegate.local.upstreams.directives import (
    ANY_CALL,
    DirectiveError,
    Directives,
    Fault,
    FaultSet,
    parse_directives,
)
from imagegate.local.upstreams.gradio.faults import FAULTS as GRADIO
from imagegate.local.upstreams.openai.faults import FAULTS as OPENAI
from imagegate.local.upstreams.yandexart.faults import FAULTS as YANDEXART

SETS = list({stand_in.faults.protocol: stand_in.faults for stand_in in STAND_INS}.values())


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("70s", 70), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5), ("3", 3), ("70 S", 70), ("9999999m", 86400)],
)
def test_delay_is_seconds(written: str, seconds: float) -> None:
    assert parse_directives(f"a fox [delay {written}]", GRADIO).delay == seconds


def test_a_prompt_without_directives_asks_for_nothing() -> None:
    assert parse_directives("a [red] fox, delayed by faults [at night]", GRADIO) == Directives()


def test_several_directives_are_parsed_together() -> None:
    parsed = parse_directives("[Delay 1s][bytes 1500000] fox [FAULT http-503 x2] [fault hang at check]", YANDEXART)

    assert parsed == Directives(
        delay=1.0, at_least=1_500_000, faults=(Fault("http-503", "submit", 2), Fault("hang", "check", None))
    )


def test_a_fault_strikes_at_its_default_call_of_the_protocol() -> None:
    assert parse_directives("[fault drop]", GRADIO).faults == (Fault("drop", "check", None),)
    assert parse_directives("[fault drop]", YANDEXART).faults == (Fault("drop", "submit", None),)


def test_xn_strikes_the_first_n_calls_of_its_stage() -> None:
    directives = parse_directives("[fault http-503 x2]", OPENAI)

    assert [directives.next_fault("submit", call) for call in (1, 2, 3)] == ["http-503", "http-503", None]
    assert directives.next_fault("fetch", 1) is None


def test_faults_follow_one_another() -> None:
    directives = parse_directives("[fault http-429 x1] [fault html x2]", OPENAI)

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
def test_what_cannot_be_obeyed_is_refused(prompt: str) -> None:
    with pytest.raises(DirectiveError):
        parse_directives(prompt, GRADIO)


def test_the_refusal_names_the_faults_this_upstream_knows() -> None:
    with pytest.raises(DirectiveError, match=r"known: http-429, .*truncated") as refused:
        parse_directives("[fault expired-url]", YANDEXART)

    assert "redirect-private" not in str(refused.value)


@pytest.mark.parametrize("faults", SETS, ids=lambda faults: faults.protocol)
def test_every_fault_is_obeyed_as_the_tables_write_it(faults: FaultSet) -> None:
    for name, stages in faults.stages.items():
        if not faults.is_expander:
            assert parse_directives(f"[fault {name}]", faults).faults == (Fault(name, stages[0], None),)
        for stage in stages:
            assert parse_directives(f"[fault {name} at {stage}]", faults).faults == (Fault(name, stage, None),)


def test_a_protocol_may_have_calls_and_faults_of_its_own() -> None:
    stages = {**dict.fromkeys(ANY_CALL, ("submit", "token")), "expired-token": ("check", "token")}
    faults = FaultSet(protocol="new", title="New", stages=stages, own={"expired-token": "The token has expired."})

    assert parse_directives("[fault http-401 at token] [fault expired-token]", faults).faults == (
        Fault("http-401", "token", None),
        Fault("expired-token", "check", None),
    )


def test_a_fault_that_no_table_can_explain_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=re.escape("['unheard-of']")):
        FaultSet(protocol="new", title="New", stages={"unheard-of": ("submit",)})


def test_the_language_model_and_the_upstream_pass_over_each_others_directives() -> None:
    prompt = "[delay 3s] [fault http-503 x1] [delay 1s at expand] [fault chatty at expand x2] a fox"

    assert parse_directives(prompt, CHAT) == Directives(delay=1.0, faults=(Fault("chatty", "expand", 2),))
    assert parse_directives(prompt, GRADIO) == Directives(delay=3.0, faults=(Fault("http-503", "submit", 1),))


@pytest.mark.parametrize("prompt", ["[fault nonsense at expand]", "[fault black at expand]", "[delay soon at expand]"])
def test_a_language_model_refuses_what_it_cannot_obey(prompt: str) -> None:
    assert parse_directives(prompt, OPENAI) == Directives()
    with pytest.raises(DirectiveError):
        parse_directives(prompt, CHAT)
