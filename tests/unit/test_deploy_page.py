"""docs/deploy.md names what there is."""

import re
from pathlib import Path

from imagegate.cli.deploy.choices import parse, read_file, split
from imagegate.cli.deploy.parameters import read_template
from support.stack_settings import TEMPLATE

ROOT = TEMPLATE.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text()
PARAMETERS = read_template(TEMPLATE).parameters
ANCHORS = {
    re.sub(r"[^a-z -]", "", line.lower()).strip().replace(" ", "-") for line in re.findall(r"^## (.*)$", PAGE, re.M)
}


def test_the_example_of_a_file_is_legal(tmp_path: Path) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    path = tmp_path / "dev.toml"
    path.write_text(block)
    assert {PARAMETERS[name].problem(entry.value) for name, entry in read_file(path).items()} == {None}


def test_the_examples_for_the_command_line_are_legal() -> None:
    examples = re.findall(r"make deploy PARAMETERS='([^']*)'", PAGE)
    assert len(examples) == 2
    for example in examples:
        assert {PARAMETERS[name].problem(entry.value) for name, entry in parse(split(example)).items()} == {None}


def test_parameters_are_called_by_their_names() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?: = \w+)?`", PAGE)) - {"StartExecution", "StateTransition"}
    assert named <= set(PARAMETERS)


def test_what_points_here_arrives() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "lib" / "imagegate" / "cli").rglob("*.py")]
    pointers = {anchor for file in files for anchor in re.findall(r"deploy\.md#([a-z-]+)", file.read_text())}
    assert pointers
    assert pointers <= ANCHORS
