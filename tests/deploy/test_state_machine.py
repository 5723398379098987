"""The state machine as others read it: asl-validator the definition, JSONata's own package the expressions."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

READER = Path(__file__).parent / "node" / "read.mjs"
FIELDS = ("Arguments", "Output", "Seconds", "Condition")
"""The fields of a state, a choice or a catcher that may hold expressions."""
ID = "06gzj55vfn0ajhf9kn2m"
EXECUTION = {"Execution": {"Name": f"{ID}-7", "Input": {"id": ID}}}
STEP = {"id": ID, "next": "wait", "wait": 4, "looked_at": 1795180251.5, "looks": 2, "again_at": 1795180300.0}
BROKEN = {"input": STEP, "context": EXECUTION, "errorOutput": {"Error": "Sandbox.Timedout", "Cause": "…"}}
ENDED = {"id": ID, "error": "Sandbox.Timedout"}


def states(**known: Any) -> dict[str, Any]:
    """`$states` in an execution: STEP as input unless another is given."""
    return {"input": STEP, "context": EXECUTION} | known


def answered(step: dict[str, Any]) -> dict[str, Any]:
    """`$states` once the function has answered."""
    return states(result={"Payload": step, "StatusCode": 200})


def named(where: str, **payload: Any) -> Any:
    """The Arguments of a Task."""
    return {"FunctionName": f"${{{where}FunctionArn}}", "Payload": payload}


RECORDED: list[tuple[str, dict[str, Any], Any]] = [
    ("Submit.Arguments", states(input={"id": ID}), named("Submit", id=ID, run=f"{ID}-7", unexpanded="")),
    (
        "Submit.Arguments",
        states(input={"id": ID, "unexpanded": "Sandbox.Timedout"}),
        named("Submit", id=ID, run=f"{ID}-7", unexpanded="Sandbox.Timedout"),
    ),
    ("Submit.Output", answered(STEP), STEP),
    ("Submit.Catch.0.Output", BROKEN, ENDED),
    *(
        (f"Settled?.Choices.{at}.Condition", states(input=STEP | {"next": given}), given == wanted)
        for at, wanted in enumerate(("done", "submit", "expand"))
        for given in ("done", "submit", "expand", "wait")
    ),
    ("Expand.Arguments", states(), named("Expand", id=ID)),
    ("Expand.Output", answered(STEP), STEP),
    ("Expand.Catch.0.Output", BROKEN, {"id": ID, "unexpanded": "Sandbox.Timedout"}),
    ("Wait.Seconds", states(), 4),
    (
        "Poll.Arguments",
        states(),
        named(
            "Poll",
            id=ID,
            run=f"{ID}-7",
            looked_at=STEP["looked_at"],
            looks=2,
            again_at=STEP["again_at"],
        ),
    ),
    (
        "Poll.Arguments",  # of an execution that an earlier version began
        states(input={"id": ID, "next": "wait", "wait": 4, "looked_at": 0}),
        named("Poll", id=ID, run=f"{ID}-7", looked_at=0, looks=0, again_at=0),
    ),
    ("Poll.Output", answered(STEP), STEP),
    ("Poll.Catch.0.Output", BROKEN, ENDED),
    ("Fail.Arguments", states(input=ENDED), named("Fail", **ENDED)),
    ("Fail.Output", answered(STEP), STEP),
]
"""Field of a state, what is known there, and what it has to be."""


def fields(node: Any, path: str = "") -> dict[str, Any]:
    """Every field with an expression below a state, by its path."""
    found: dict[str, Any] = {}
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        here = f"{path}.{name}".removeprefix(".")
        if name in FIELDS and "{%" in json.dumps(value):
            found[here] = value
        elif isinstance(value, (dict, list)):
            found |= fields(value, here)
    return found


DEFINITION = load_yaml(TEMPLATE.parent / "infra" / "workflow.asl.yaml")
EXPRESSIONS = fields(DEFINITION["States"])


def evaluated(node: Any, values: Any) -> Any:
    """A field with its expressions replaced by the next of their values."""
    if isinstance(node, dict):
        return {name: evaluated(value, values) for name, value in node.items()}
    return values(node) if isinstance(node, str) and node.startswith("{%") else node


@pytest.fixture(scope="module")
def reading() -> dict[str, Any]:
    """What the readers say."""
    asked: list[Any] = []
    for path, known, _ in RECORDED:
        evaluated(EXPRESSIONS[path], lambda text, known=known: asked.append([text[2:-2].strip(), known]))
    text = json.dumps(DEFINITION).replace("${Partition}", "aws")
    definition = json.loads(re.sub(r"\$\{\w+\}", "arn:aws:lambda:us-east-1:123456789012:function:f", text))
    given = json.dumps({"definition": definition, "expressions": asked})
    done = subprocess.run(["node", str(READER)], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_definition_is_valid(reading: dict[str, Any]) -> None:
    assert reading["problems"] == []


def test_every_expression_is_tried() -> None:
    assert {path for path, _, _ in RECORDED} == set(EXPRESSIONS)


def test_expressions_give_what_the_functions_and_states_need(reading: dict[str, Any]) -> None:
    values = iter(reading["values"])
    for path, _, wanted in RECORDED:
        # `[value] = ` fails where an expression is undefined: Step Functions fails there too.
        assert evaluated(EXPRESSIONS[path], lambda text: _defined(next(values))) == wanted, path
    assert next(values, None) is None


def _defined(value: list[Any]) -> Any:
    [one] = value
    return one
