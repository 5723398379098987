"""The parameters that a person has chosen: in the stage's file, and on the command line."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagegate.cli.deploy.parameters import STAGE, Template, broken_rules
from imagegate.domain.errors import ImagegateError

COMMAND_LINE = "the command line"
_NEXT = re.compile(r"\s+(?=[A-Za-z][A-Za-z0-9]*=)")


class ParameterError(ImagegateError):
    """Parameters that cannot be deployed; the message has a line for each."""


@dataclass(frozen=True, slots=True)
class ParameterChoice:
    """A chosen value."""

    value: str
    source: str
    """Where it was chosen: a file's path, or the command line."""


def read_file(path: Path) -> dict[str, ParameterChoice]:
    """The choices in a TOML file. Raises ParameterError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError(f"{path} is not there.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is not valid TOML: {error}") from None
    return {name: ParameterChoice(_text(path, name, value), str(path)) for name, value in document.items()}


def split(text: str) -> list[str]:
    """Split `A=b C=d` into its parts. A part begins with a name and `=`, so quotes and blanks in a value stay."""
    return [part for part in _NEXT.split(text.strip()) if part]


def parse(parts: Iterable[str]) -> dict[str, ParameterChoice]:
    """The choices in `NAME=VALUE` parts. Raises ParameterError for a part without `=`."""
    choices = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            raise ParameterError(f"{part!r} is not a parameter: write NAME=VALUE.")
        choices[name.strip()] = ParameterChoice(_unquoted(value.strip()), COMMAND_LINE)
    return choices


def check(template: Template, *choices: Mapping[str, ParameterChoice]) -> None:
    """Raise ParameterError naming each value that CloudFormation or a function would refuse."""
    every = [(name, entry) for some in choices for name, entry in some.items()]
    wrong = [
        f"{operation.source}: {why}" for name, operation in every if (why := _problem(template, name, operation.value))
    ]
    if wrong:
        raise ParameterError("\n".join(wrong))


def check_rules(template: Template, values: Mapping[str, str]) -> None:
    """Raise ParameterError when the values of all parameters contradict each other."""
    if broken := broken_rules(template, values):
        raise ParameterError("\n".join(broken))


def _problem(template: Template, name: str, value: str) -> str | None:
    if name == STAGE:
        return "Stage is not chosen here: say --stage (make deploy STAGE=…)."
    if name in template.parameters:
        return template.parameters[name].problem(value)
    near = difflib.get_close_matches(name, template.parameters, 1, 0.5)
    hint = f"Do you mean {near[0]}?" if near else "docs/parameters.md lists them."
    return f"there is no parameter {name!r}. {hint}"


def _text(path: Path, name: str, value: Any) -> str:
    """A value of TOML as CloudFormation takes it: everything is text there. Raises ParameterError."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(element, str) and "," not in element for element in value):
        return ",".join(value)
    raise ParameterError(f"{path}: {name} must be text, a number, true, false or a list of texts.")


def _unquoted(value: str) -> str:
    """The value without quotes around it: a shell would have removed them."""
    whole = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if whole else value
