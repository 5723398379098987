"""The artifacts of `sam build` and `sam package`: processor, Python version, bytecode and size."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.sam import ARTIFACTS, Account, Project
from trim_botocore import OPERATIONS

AARCH64 = 0xB7
"""The processor in an ELF header."""
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
"""The first bytes of bytecode by CPython 3.13."""
UNCHECKED_HASH = (1).to_bytes(4, "little")
"""Flags of bytecode that Python uses without checking its source, because Lambda changes the files' dates."""
WHEEL_TAG = re.compile(
    r"py\d?[.\d py]*-none-any|py3-none-(?P<plain>\w+)|(cp313-cp313|cp3\d+-abi3)-(?P<platform>[\w.]+)"
)
MB = 1_000_000
ZIPPED, UNPACKED = 25 * MB, 75 * MB
SIGNING_UNPACKED = 25 * MB
"""Limits of the layer, and of the one for functions that sign. Lambda accepts 250 MB unpacked, but a cold start
becomes slow long before."""


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def artifact(aws: Account, uri: str) -> bytes:
    body: bytes = aws.client("s3").get_object(Bucket=ARTIFACTS, Key=uri.rpartition("/")[2])["Body"].read()
    return body


def wheel_tags(layer: Path) -> Iterator[tuple[str, str]]:
    """Distribution and tag, for every tag of every wheel that was unpacked."""
    for file in layer.rglob("*.dist-info/WHEEL"):
        for tag in re.findall(r"^Tag: (\S+)$", file.read_text(), re.MULTILINE):
            yield file.parent.name, tag


def test_sam_finds_nothing_wrong_with_the_template(project: Project) -> None:
    project.sam("validate", "--lint")


def test_the_layer_fits(
    built: Project, packaged: dict[str, Any], aws: Account, record_property: Callable[[str, str], None]
) -> None:
    zipped = len(artifact(aws, packaged["Resources"]["Layer"]["Properties"]["ContentUri"]))
    unpacked = size(built.layer)
    record_property("figure", f"layer: {zipped / MB:.1f} MB zipped, {unpacked / MB:.1f} MB unpacked")
    assert zipped < ZIPPED
    assert unpacked + size(built.function) < UNPACKED


def test_the_layer_of_functions_that_sign_is_small_and_for_lambda(
    built: Project, record_property: Callable[[str, str], None]
) -> None:
    layer = built.layer.with_name("C2paLayer")
    record_property("figure", f"layer that signs: {size(layer) / MB:.1f} MB unpacked")
    assert size(layer) < SIGNING_UNPACKED
    [library] = [path for path in layer.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert int.from_bytes(library.read_bytes()[18:20], "little") == AARCH64
    assert {path.read_bytes()[:8] for path in layer.rglob("*.pyc")} == {MAGIC + UNCHECKED_HASH}


def test_it_holds_what_is_locked_and_the_package_without_its_local_parts(built: Project) -> None:
    lock = (built.folder / "lib" / "requirements.txt").read_text()
    locked = {
        (name.replace("-", "_"), version) for name, version in re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE)
    }
    held = {tuple(path.name.removesuffix(".dist-info").split("-")) for path in built.layer.rglob("*.dist-info")}
    assert {(name.lower(), version) for name, version in held} == {(name.lower(), version) for name, version in locked}
    ours = {path.name for path in (built.layer / "python" / "imagegate").iterdir() if path.is_dir()}
    there = {path.name for path in (built.folder / "lib" / "imagegate").iterdir() if path.is_dir()}
    assert ours - {"__pycache__"} == there - {"bridge", "cli", "local"}
    assert not (built.layer / "python" / "pydantic" / "v1").exists()
    assert not (built.layer / "python" / "bin").exists()


def test_of_awss_services_it_holds_the_operations_that_are_called(built: Project) -> None:
    data = built.layer / "python" / "botocore" / "data"
    assert {entry.name for entry in data.iterdir() if entry.is_dir()} == set(OPERATIONS)
    for service, operations in OPERATIONS.items():
        [model] = data.glob(f"{service}/*/service-2.json")
        assert json.loads(model.read_text())["operations"].keys() == operations
    assert size(data) < MB / 2


def test_every_wheel_is_for_lambdas_python_and_processor(built: Project) -> None:
    tags = dict(wheel_tags(built.layer))
    assert "cp313-cp313-manylinux" in " ".join(tags.values()), "pydantic-core and Pillow have code of their own"
    for name, tag in wheel_tags(built.layer):
        known = WHEEL_TAG.fullmatch(tag)
        assert known, f"{name}: {tag}"
        platform = known["platform"] or known["plain"] or "aarch64"
        assert "aarch64" in platform, f"{name}: {tag}"


def test_machine_code_is_aarch64(built: Project) -> None:
    libraries = [path for path in built.layer.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert libraries
    for library in libraries:
        header = library.read_bytes()[:20]
        assert int.from_bytes(header[18:20], "little") == AARCH64, library.name
        assert ".cpython-" not in library.name or ".cpython-313-aarch64" in library.name


def test_every_module_has_bytecode_that_lambda_uses(built: Project) -> None:
    modules = list((built.layer / "python").rglob("*.py"))
    assert len(modules) > 500
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        assert compiled.exists(), f"{module} has none"
        assert compiled.read_bytes()[:8] == MAGIC + UNCHECKED_HASH, compiled
    assert len(list(built.layer.rglob("*.pyc"))) == len(modules)


@pytest.mark.parametrize("part", ["Runtime", "Architectures"])
def test_functions_and_layer_are_for_each_other(packaged: dict[str, Any], part: str) -> None:
    functions = packaged["Globals"]["Function"][part]
    layer = packaged["Resources"]["Layer"]["Properties"]
    assert layer["CompatibleRuntimes"] == ["python3.13"]
    assert layer["CompatibleArchitectures"] == ["arm64"]
    assert functions == {"Runtime": "python3.13", "Architectures": ["arm64"]}[part]


def test_every_function_is_packaged_with_the_module_that_it_names(packaged: dict[str, Any], aws: Account) -> None:
    functions = [
        other["Properties"] for other in packaged["Resources"].values() if other["Type"] == "AWS::Serverless::Function"
    ]
    assert functions
    for function in functions:
        names = zipfile.ZipFile(io.BytesIO(artifact(aws, function["CodeUri"]))).namelist()
        assert f"{function['Handler'].partition('.')[0]}.py" in names
        assert all(name.endswith(".py") for name in names)
