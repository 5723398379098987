"""What is packaged, and that equal content gives equal keys."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from imagegate.local.stack.packaging import Artifact, PackagingError, load_yaml, package

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Layers: [!Ref Layer]}}
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: lib/}
  Do:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: functions/, Handler: do.handler}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.asl.yaml, DefinitionSubstitutions: {Do: !GetAtt Do.Arn}}
"""

FILES = {
    "template.yaml": TEMPLATE,
    "flow.asl.yaml": "StartAt: Do\nStates: {Do: {Type: Pass, End: true, Output: '{% $x %}'}}",
    "functions/do.py": "def handler(event, context): ...",
    "functions/__pycache__/do.cpython-311.pyc": "stale",
    "lib/Makefile": "build-Layer:",
    "lib/requirements.txt": "boto3",
    "lib/gate/__init__.py": "",
    "lib/gate/models.toml": "[models]",
    "lib/gate/web/page.html": "<html>",
    "lib/gate/cli/main.py": "",
    "lib/gate/local/stack.py": "",
    "lib/gate/adapters/local/__init__.py": "",
    "lib/gate/__pycache__/x.pyc": "stale",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def _names(artifact: Artifact) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(artifact.content)).namelist())


def test_code_layer_and_definition_go_to_the_bucket(project: Path) -> None:
    packaged = package(project / "template.yaml", "artifacts")
    resources = packaged.template["Resources"]
    locations = [
        resources["Layer"]["Properties"]["ContentUri"],
        resources["Do"]["Properties"]["CodeUri"],
        resources["Flow"]["Properties"]["DefinitionUri"],
    ]
    assert locations == [f"s3://artifacts/{artifact.key}" for artifact in packaged.artifacts]


def test_the_template_of_a_nested_stack_goes_to_the_bucket(project: Path) -> None:
    (project / "nested.yaml").write_text(
        "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name}}}"
    )
    nested = "  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: nested.yaml}}\n"
    (project / "template.yaml").write_text(TEMPLATE + nested)
    packaged = package(project / "template.yaml", "artifacts")
    *_, artifact = packaged.artifacts
    url = packaged.template["Resources"]["Nested"]["Properties"]["TemplateURL"]
    assert url == f"https://s3.amazonaws.com/artifacts/{artifact.key}"
    assert json.loads(artifact.content)["Resources"]["Topic"]["Properties"] == {"TopicName": {"Ref": "Name"}}


def test_the_layer_is_the_package_without_its_local_parts(project: Path) -> None:
    layer, _, _ = package(project / "template.yaml", "artifacts").artifacts
    names = {name for name in _names(layer) if not name.endswith(".pyc")}
    assert names == {
        "python/gate/__init__.py",
        "python/gate/models.toml",
        "python/gate/web/page.html",
        "python/gate/adapters/local/__init__.py",
    }


def test_the_layers_modules_load_from_bytecode_without_a_look_at_their_source(project: Path, tmp_path: Path) -> None:
    (project / "lib/gate/answer.py").write_text("ANSWER = 42")
    layer, *_ = package(project / "template.yaml", "artifacts").artifacts
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(io.BytesIO(layer.content)).extractall(unpacked)
    (unpacked / "python/gate/answer.py").write_text("ANSWER = 'compiled again'")
    code = "from gate.answer import ANSWER; print(ANSWER)"
    environment = {"PYTHONPATH": str(unpacked / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


def test_a_layer_without_build_method_is_taken_as_it_lies(project: Path) -> None:
    (project / "template.yaml").write_text(TEMPLATE.replace("    Metadata: {BuildMethod: makefile}\n", ""))
    layer, _, _ = package(project / "template.yaml", "artifacts").artifacts
    assert {"Makefile", "gate/cli/main.py"} <= _names(layer)


def test_functions_are_zipped_without_bytecode(project: Path) -> None:
    _, functions, _ = package(project / "template.yaml", "artifacts").artifacts
    assert _names(functions) == {"do.py"}


def test_the_definition_becomes_json(project: Path) -> None:
    _, _, definition = package(project / "template.yaml", "artifacts").artifacts
    assert json.loads(definition.content)["States"]["Do"]["Output"] == "{% $x %}"


def test_equal_content_has_equal_keys_and_changed_content_others(project: Path) -> None:
    before = package(project / "template.yaml", "artifacts")
    os.utime(project / "functions/do.py", (0, 0))
    again = package(project / "template.yaml", "artifacts")
    assert (again.template, [a.key for a in again.artifacts]) == (before.template, [a.key for a in before.artifacts])
    (project / "functions/do.py").write_text("changed")
    after = package(project / "template.yaml", "artifacts")
    changed = {a.key for a in after.artifacts} - {a.key for a in before.artifacts}
    assert [key.partition("-")[0] for key in changed] == ["functions"]
    (project / "lib/gate/__init__.py").write_text("changed = True")
    assert package(project / "template.yaml", "artifacts").artifacts[0].key != after.artifacts[0].key


def test_locations_in_s3_stay(project: Path) -> None:
    (project / "template.yaml").write_text(TEMPLATE.replace("functions/", "s3://elsewhere/code.zip"))
    packaged = package(project / "template.yaml", "artifacts")
    assert packaged.template["Resources"]["Do"]["Properties"]["CodeUri"] == "s3://elsewhere/code.zip"
    assert len(packaged.artifacts) == 2


def test_short_tags_get_their_long_form(tmp_path: Path) -> None:
    path = tmp_path / "tags.yaml"
    path.write_text(
        "date: 2012-10-17\n"
        "ref: !Ref A\n"
        "sub: !Sub 'arn:${A}'\n"
        "att: !GetAtt A.Outputs.B\n"
        "if: !If [C, !Ref A, {x: !Sub y}]\n"
        "both: !Sub [t, {v: !GetAtt [A, B]}]\n"
        "when: !Condition C\n"
    )
    assert load_yaml(path) == {
        "date": "2012-10-17",
        "ref": {"Ref": "A"},
        "sub": {"Fn::Sub": "arn:${A}"},
        "att": {"Fn::GetAtt": ["A", "Outputs.B"]},
        "if": {"Fn::If": ["C", {"Ref": "A"}, {"x": {"Fn::Sub": "y"}}]},
        "both": {"Fn::Sub": ["t", {"v": {"Fn::GetAtt": ["A", "B"]}}]},
        "when": {"Condition": "C"},
    }


@pytest.mark.parametrize(
    ("broken", "text", "message"),
    [
        ("template.yaml", "Resources: [", "template.yaml is not valid YAML"),
        ("flow.asl.yaml", "a: b: c", "flow.asl.yaml is not valid YAML"),
        ("template.yaml", TEMPLATE.replace("functions/", "nowhere/"), "nowhere is not a folder"),
        ("template.yaml", TEMPLATE.replace("flow.asl.yaml", "gone.yaml"), "gone.yaml is not there"),
    ],
)
def test_what_cannot_be_packaged_is_named(project: Path, broken: str, text: str, message: str) -> None:
    (project / broken).write_text(text)
    with pytest.raises(PackagingError, match=message):
        package(project / "template.yaml", "artifacts")
