"""Conditions of a CloudFormation template, evaluated."""

from collections.abc import Mapping
from typing import Any


def holds(template: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> bool:
    """Evaluate a condition of the template with these values of its parameters."""

    def evaluate(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        [(function, operand)] = node.items()
        if function == "Ref":
            return values[operand]
        if function == "Condition":
            return holds(template, operand, values)
        if function == "Fn::Join":
            return operand[0].join(evaluate(operand[1]))
        found = [evaluate(entry) for entry in operand]
        results = {"Fn::Equals": len({str(entry) for entry in found}) == 1, "Fn::Not": not found[0]}
        return {**results, "Fn::And": all(found), "Fn::Or": any(found)}[function]

    return bool(evaluate(template["Conditions"][condition]))


def defaults(template: Mapping[str, Any]) -> dict[str, Any]:
    """The default of every parameter that has one; a list's as a list."""
    found = {name: entry["Default"] for name, entry in template["Parameters"].items() if "Default" in entry}
    lists = {name for name, entry in template["Parameters"].items() if entry["Type"] == "CommaDelimitedList"}
    return {name: value.split(",") if name in lists else value for name, value in found.items()}
