"""The parameters of template.yaml: which there are, and what they may be."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAGE = "Stage"
_LIST = "CommaDelimitedList"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the template."""

    name: str
    kind: str
    """`String`, `Number` or `CommaDelimitedList`."""
    default: str
    description: str
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    """A pattern that the whole value, or each element of a list, has to match."""
    minimum: float = -math.inf
    maximum: float = math.inf
    constraint: str = ""
    """What `pattern` means, in words."""

    def problem(self, value: str) -> str | None:
        """Why CloudFormation or a function would refuse `value`; `None` when they accept it."""
        return None if self._takes(value) else f"{self.name} must be {self.legal()}, not {value!r}."

    def legal(self) -> str:
        """Which values it takes, in words."""
        if self.allowed:
            return "one of " + ", ".join(self.allowed)
        if self.kind == "Number":
            upper = f" to {self.maximum:g}" if math.isfinite(self.maximum) else " up"
            return f"a number from {self.minimum:g}{upper}" if math.isfinite(self.minimum) else "a number"
        return self.constraint or (f"text that matches {self.pattern}" if self.pattern else "text")

    def _takes(self, value: str) -> bool:
        if self.allowed:
            return value in self.allowed
        if self.kind == "Number":
            return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None and self.minimum <= float(value) <= self.maximum
        parts = value.split(",") if self.kind == _LIST else [value]
        return not self.pattern or all(re.fullmatch(self.pattern, part.strip()) for part in parts)


@dataclass(frozen=True, slots=True)
class Template:
    """What template.yaml says of its parameters."""

    parameters: Mapping[str, Parameter]
    groups: Mapping[str, Sequence[str]]
    """Names of parameters, by the reason to change them."""
    rules: Sequence[Mapping[str, Any]]


def read_template(path: Path) -> Template:
    """Read the template's parameters. Raises PackagingError when it is not there, or not YAML."""
    # Loaded late: the environment of the bridge has no YAML.
    from imagegate.local.stack.packaging import load_yaml

    document = load_yaml(path)
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return Template(
        {name: _parameter(name, entry) for name, entry in document["Parameters"].items()},
        {group["Label"]["default"]: group["Parameters"] for group in groups},
        tuple(document.get("Rules", {}).values()),
    )


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        kind=entry["Type"],
        default=str(entry["Default"]),
        description=entry["Description"],
        allowed=tuple(map(str, entry.get("AllowedValues", ()))),
        pattern=entry.get("AllowedPattern", ""),
        minimum=float(entry.get("MinValue", -math.inf)),
        maximum=float(entry.get("MaxValue", math.inf)),
        constraint=entry.get("ConstraintDescription", ""),
    )


def broken_rules(template: Template, values: Mapping[str, str]) -> list[str]:
    """Which of the template's Rules these values of all parameters break."""
    return [
        assertion["AssertDescription"]
        for rule in template.rules
        if _holds(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
        if not _holds(assertion["Assert"], values)
    ]


def _holds(condition: Any, values: Mapping[str, str]) -> bool:
    """Evaluate a condition of a rule. Raises KeyError for a function that no rule of the template uses."""
    if isinstance(condition, bool):
        return condition
    [(function, operands)] = condition.items()
    return {
        "Fn::Equals": lambda: len({_text(operand, values) for operand in operands}) == 1,
        "Fn::Not": lambda: not _holds(operands[0], values),
        "Fn::And": lambda: all(_holds(operand, values) for operand in operands),
        "Fn::Or": lambda: any(_holds(operand, values) for operand in operands),
    }[function]()


def _text(operand: Any, values: Mapping[str, str]) -> str:
    return values[operand["Ref"]] if isinstance(operand, dict) else str(operand)
