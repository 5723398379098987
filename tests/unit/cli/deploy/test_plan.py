"""What a deployment changes is decided and shown before it is done."""

import pytest

from imagegate.cli.deploy.choices import ParameterChoice, ParameterError
from imagegate.cli.deploy.parameters import read_template
from imagegate.cli.deploy.plan import make_plan
from support.stack_settings import TEMPLATE

DECLARED = read_template(TEMPLATE)
DEFAULTS = {name: parameter.default for name, parameter in DECLARED.parameters.items()}
FILE = "infra/stages/dev.toml"
DEPLOYED = DEFAULTS | {"Access": "open", "HoldSeconds": "5", "Gone": "x"}


def chosen(**values: str) -> dict[str, ParameterChoice]:
    return {name: ParameterChoice(value, FILE) for name, value in values.items()}


def test_without_a_file_a_parameter_keeps_the_value_it_has() -> None:
    plan = make_plan(DECLARED, "dev", chosen(ImageDays="3"), DEPLOYED, None)
    assert (plan.values["Access"], plan.values["HoldSeconds"], plan.values["ImageDays"]) == ("open", "5", "3")
    assert plan.given == {"Stage": "dev", "ImageDays": "3"}
    assert "Access = open (as deployed)" in plan.lines


def test_a_file_says_all_and_what_changes_with_it_is_shown() -> None:
    plan = make_plan(DECLARED, "dev", chosen(HoldSeconds="7"), DEPLOYED, FILE)
    assert plan.given == plan.values == DEFAULTS | {"Stage": "dev", "HoldSeconds": "7"}
    assert plan.lines == ("Access = keys (default, was open)", f"HoldSeconds = 7 ({FILE}, was 5)")


def test_the_first_deployment_shows_what_is_not_the_default() -> None:
    plan = make_plan(DECLARED, "prod", chosen(HoldSeconds="7", ImageDays=DEFAULTS["ImageDays"]), {}, None)
    assert plan.lines == (f"HoldSeconds = 7 ({FILE})",)
    assert plan.values["Stage"] == "prod"


def test_an_emptied_value_is_shown_as_such() -> None:
    plan = make_plan(DECLARED, "dev", {}, DEFAULTS | {"AlarmEmail": "a@b.c"}, FILE)
    assert plan.lines == ("AlarmEmail = '' (default, was a@b.c)",)


def test_values_that_do_not_go_together_are_refused_also_with_what_is_deployed() -> None:
    with pytest.raises(ParameterError, match="ExpanderModel"):
        make_plan(
            DECLARED, "dev", chosen(ExpanderModel=""), DEFAULTS | {"Expander": "openai", "ExpanderModel": "m"}, None
        )
