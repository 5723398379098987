"""Parameters as people write them: in a file for each stage, and on the command line with whatever quotes."""

import os
import subprocess
from pathlib import Path

import pytest

from imagegate.cli.deploy.choices import COMMAND_LINE, ParameterChoice, ParameterError, check, parse, read_file, split
from imagegate.cli.deploy.parameters import read_template
from support.stack_settings import TEMPLATE

ROOT = TEMPLATE.parent
DECLARED = read_template(TEMPLATE)
EXAMPLE = ROOT / "infra" / "stages" / "example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "dev.toml"
    path.write_text(text)
    return path


def test_a_file_says_numbers_truths_and_lists_as_toml_has_them(tmp_path: Path) -> None:
    lines = [
        "HoldSeconds = 5",
        "DeletionProtection = true",
        'CorsOrigins = ["https://a", "https://b"]',
        'Access = "open"',
    ]
    path = written(tmp_path, "\n".join(lines))
    choices = read_file(path)
    check(DECLARED, choices)
    assert {name: choice.value for name, choice in choices.items()} == {
        "HoldSeconds": "5",
        "DeletionProtection": "true",
        "CorsOrigins": "https://a,https://b",
        "Access": "open",
    }
    assert {choice.source for choice in choices.values()} == {str(path)}


@pytest.mark.parametrize(
    "text", ["Access =", "[Access]", "Access = 1979-05-27", 'CorsOrigins = ["a,b"]', "CorsOrigins = [1]"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ParameterError, match=rf"^{path}"):
        read_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none\.toml is not there"):
        read_file(tmp_path / "none.toml")


def test_the_example_is_legal_with_every_line_switched_on(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    assert read_file(EXAMPLE) == {}, "a copy of it must change nothing"
    lines = [
        line.removeprefix("# ") if line.startswith(("# [", '# "')) or " = " in line else line
        for line in text.splitlines()
    ]
    choices = read_file(written(tmp_path, "\n".join(lines)))
    assert len(choices) > 5
    check(DECLARED, choices)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("Access=open", {"Access": "open"}),
        ("Access=open  HoldSeconds=5\tCorsOrigins=https://a,https://b ", 3),
        ('ExpanderModel={"a": "b"} Access=open', {"ExpanderModel": '{"a": "b"}'}),
        ('ExpanderModel=\'{"a": "b"}\'', {"ExpanderModel": '{"a": "b"}'}),
        ('ExpanderModel="a b" Access=open', {"ExpanderModel": "a b", "Access": "open"}),
        ("ExpanderModel=gpt://b1/x=y $HOME", {"ExpanderModel": "gpt://b1/x=y $HOME"}),
        ("AlarmEmail=", {"AlarmEmail": ""}),
    ],
)
def test_the_command_lines_values_keep_their_quotes_and_blanks(text: str, values: dict[str, str] | int) -> None:
    choices = parse(split(text))
    if isinstance(values, int):
        assert len(choices) == values
    else:
        assert {name: choices[name].value for name in values} == values
    assert {choice.source for choice in choices.values()} <= {COMMAND_LINE}


@pytest.mark.parametrize("text", ["Access", "--stage=x HoldSeconds", "open Access=keys"])
def test_what_is_no_parameter_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        check(DECLARED, parse(split(text)))


def test_everything_wrong_is_named_at_once_and_where_it_was_said() -> None:
    in_file = {
        "Acess": ParameterChoice("open", "dev.toml"),
        "Stage": ParameterChoice("x", "dev.toml"),
        "Access": ParameterChoice("no", "dev.toml"),
    }
    with pytest.raises(ParameterError) as raised:
        check(
            DECLARED,
            in_file,
            {"Access": ParameterChoice("yes", COMMAND_LINE), "Zzz": ParameterChoice("", COMMAND_LINE)},
        )
    assert str(raised.value).split("\n") == [
        "dev.toml: there is no parameter 'Acess'. Do you mean Access?",
        "dev.toml: Stage is not chosen here: say --stage (make deploy STAGE=…).",
        "dev.toml: Access must be one of keys, open, not 'no'.",
        "the command line: Access must be one of keys, open, not 'yes'.",
        "the command line: there is no parameter 'Zzz'. docs/parameters.md lists them.",
    ]


@pytest.mark.parametrize("value", ['{"openai": "http://x/$HOME?"}', "a 'b' \"c\" `d` $(e) \\f", "$$PATH"])
def test_make_hands_values_on_as_they_were_written(tmp_path: Path, value: str) -> None:
    """From the command line of make to the environment of the command, past make's own dollars and a shell."""
    arguments = f"ExpanderModel={value}"
    program = tmp_path / "bin" / "imagegate"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf %s "$PARAMETERS"\n')
    program.chmod(0o755)
    (tmp_path / "stamp").touch()
    variables = [f"BIN={program.parent}", f"STAMP={tmp_path / 'stamp'}", f"PARAMETERS={arguments}"]
    command = ["make", "--silent", "-o", str(tmp_path / "stamp"), *variables, "deploy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert (done.stdout, done.stderr) == (arguments, "")
