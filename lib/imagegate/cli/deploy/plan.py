"""What a deployment is going to change."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagegate.cli.deploy.choices import ParameterChoice, check_rules
from imagegate.cli.deploy.parameters import STAGE, Template


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a deployment."""

    values: Mapping[str, str]
    """The values of all parameters after the deployment."""
    given: Mapping[str, str]
    """What CloudFormation is told; others keep the value they have."""
    lines: tuple[str, ...]
    """A line for each parameter that differs from the template, or changes."""


def make_plan(
    template: Template,
    stage: str,
    choices: Mapping[str, ParameterChoice],
    deployed: Mapping[str, str],
    file: str | None,
) -> Plan:
    """Decide every parameter's value. Raises ParameterError when they contradict each other.

    `choices`: checked ones. `deployed`: the values that the stack has, none where there is no stack. `file`: where the
    stage's file is, `None` if it has none. A file says all: what it leaves out has its default. Without one a parameter
    keeps the value it has.
    """
    defaults = {name: parameter.default for name, parameter in template.parameters.items()}
    base = {} if file else {name: value for name, value in deployed.items() if name in defaults}
    chosen = {name: choice.value for name, choice in choices.items()} | {STAGE: stage}
    values = defaults | base | chosen
    check_rules(template, values)
    given = values if file else chosen
    sources = {name: choice.source for name, choice in choices.items()}
    lines = [
        _line(name, value, defaults[name], deployed.get(name), sources.get(name))
        for name, value in values.items()
        if name != STAGE and (value != defaults[name] or deployed.get(name, value) != value)
    ]
    return Plan(values, given, tuple(lines))


def _line(name: str, value: str, default: str, deployed: str | None, source: str | None) -> str:
    reason = source or ("default" if value == default else "as deployed")
    was = "" if deployed in (None, value) else f", was {_quote(deployed or '')}"
    return f"{name} = {_quote(value)} ({reason}{was})"


def _quote(value: str) -> str:
    return value if value else "''"
