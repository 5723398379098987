"""Parameters are held to template.yaml before anything is deployed, in words that say what is legal."""

from dataclasses import replace

import pytest

from imagegate.cli.deploy.parameters import Parameter, broken_rules, read_template
from support.stack_settings import TEMPLATE

DECLARED = read_template(TEMPLATE)
PARAMETERS = DECLARED.parameters
DEFAULTS = {name: entry.default for name, entry in PARAMETERS.items()}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_default_is_legal(name: str) -> None:
    assert PARAMETERS[name].problem(DEFAULTS[name]) is None


def test_every_parameter_is_in_one_group() -> None:
    grouped = [name for names in DECLARED.groups.values() for name in names]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", [name for name, entry in PARAMETERS.items() if entry.pattern])
def test_what_a_pattern_means_is_said_in_words(name: str) -> None:
    assert PARAMETERS[name].constraint
    assert not PARAMETERS[name].constraint.endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HoldSeconds", "0"),
        ("HoldSeconds", "2.5"),
        ("LogDays", "30"),
        ("CorsOrigins", "*"),
        ("CorsOrigins", "https://a.example, http://localhost:3000"),
        ("ExpanderUrl", "http://10.0.0.1:8000/v1"),
        ("PublicUrl", "https://images.example.com"),
        ("AlarmEmail", "ops@example.com"),
        ("StandInUrl", ""),
        ("StandInUrl", "http://127.0.0.1:8080"),
        ("StandInUrl", "https://play.example.com/stand-ins"),
    ],
)
def test_legal_values(name: str, value: str) -> None:
    assert PARAMETERS[name].problem(value) is None


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("Access", "Open", "one of keys, open"),
        ("LogDays", "8", "one of 1, 3, 5"),
        ("HoldSeconds", "26", "a number from 0 to 25"),
        ("HoldSeconds", "-1", "a number from 0 to 25"),
        ("HoldSeconds", "", "a number from 0 to 25"),
        ("HoldSeconds", "nan", "a number from 0 to 25"),
        ("ApiConcurrency", "many", "a number from 0 up"),
        ("Stage", "Prod", "1 to 20 lower-case letters"),
        ("CorsOrigins", "https://a.example,app.example", "origins such as"),
        ("CorsOrigins", "https://a.example/path", "origins such as"),
        ("PublicUrl", "https://a.example/", "a URL without a path"),
        ("ExpanderUrl", "llm.example.com", "a URL that begins with http"),
        ("AlarmEmail", "ops", "an e-mail address"),
        ("IntakeKey", "KEY", "the id of an API key"),
        ("StandInUrl", "http://127.0.0.1:8080/", "a URL without a final slash"),
        ("StandInUrl", "127.0.0.1:8080", "a URL without a final slash"),
        ("StandInUrl", '{"openai": "http://x"}', "a URL without a final slash"),
        ("StandInUrl", "http://user:secret@host", "a URL without a final slash"),
    ],
)
def test_illegal_values_are_named_with_what_is_legal(name: str, value: str, legal: str) -> None:
    problem = PARAMETERS[name].problem(value)
    assert problem is not None
    assert problem.startswith(f"{name} must be {legal}")
    assert problem.endswith(f", not {value!r}.")


def test_a_pattern_without_words_is_shown_itself() -> None:
    bare = Parameter(name="A", kind="String", default="a", description="", pattern="^a+$")
    assert bare.problem("b") == "A must be text that matches ^a+$, not 'b'."
    assert replace(bare, pattern="").problem("b") is None


def test_the_templates_rules_are_kept() -> None:
    assert broken_rules(DECLARED, DEFAULTS) == []
    [broken] = broken_rules(DECLARED, DEFAULTS | {"Expander": "openai"})
    assert "ExpanderModel" in broken
    assert broken_rules(DECLARED, DEFAULTS | {"Expander": "openai", "ExpanderModel": "m"}) == []


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::And": [{"Fn::Equals": [{"Ref": "A"}, "1"]}, {"Fn::Equals": ["x", "x"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": [{"Ref": "A"}, "2"]}, {"Fn::Equals": ["x", "x"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": [{"Ref": "A"}, "2"]}, {"Fn::Equals": ["x", "x"]}]}, True),
    ],
)
def test_rules_with_more_than_one_condition(condition: dict[str, object], holds: bool) -> None:
    rule = {"Assertions": [{"Assert": condition, "AssertDescription": "Not so."}]}
    assert broken_rules(replace(DECLARED, rules=(rule,)), {"A": "1"}) == ([] if holds else ["Not so."])
