"""Turns the project's SAM template and its code into what CloudFormation takes: what `sam package` does.

Functions and layer are zipped as they are in the working tree, without third-party packages, because local Lambda
workers run on the project's own environment. The layer also gets bytecode: every worker unpacks it into a folder of its
own, and would compile the whole package at its start.
"""

import hashlib
import io
import json
import marshal
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]

LOCAL_ONLY = ("bridge", "cli", "local")
"""Sub-packages that never go into the layer."""

_INTERPRETER = sys.version.encode()
_UNCHECKED_HASH = (1).to_bytes(4, "little")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_URI_PROPERTY = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
    "AWS::CloudFormation::Stack": "TemplateURL",
}


class PackagingError(Exception):
    """The template or something it names cannot be packaged; the message says what and where."""


@dataclass(frozen=True)
class Artifact:
    """One object of the artifact bucket. Its key contains its digest: equal content, equal key."""

    key: str
    content: bytes


@dataclass(frozen=True)
class Package:
    """A template whose local paths are replaced by the S3 locations of `artifacts`."""

    template: Template
    artifacts: tuple[Artifact, ...]


def package(template_path: Path, bucket: str) -> Package:
    """Read the SAM template and package every local path it names, relative to the template's folder.

    Raises:
        PackagingError: the template is not valid YAML, or a path in it does not exist.
    """
    template = load_yaml(template_path)
    packager = _Packager(template_path.parent, bucket)
    for resource in template.get("Resources", {}).values():
        if name := _URI_PROPERTY.get(resource["Type"]):
            packager.point_to_bucket(resource.get("Properties", {}), name, resource.get("Metadata", {}))
    return Package(template, tuple(packager.artifacts.values()))


def load_yaml(path: Path) -> Template:
    """Read a YAML (or JSON) file in which CloudFormation's short tags (`!Ref`, `!Sub`, …) may stand.

    Raises:
        PackagingError: it is not there, or not valid.
    """
    try:
        document: Template = yaml.load(path.read_text(), _TemplateLoader)  # noqa: S506  # nosec B506
        return document
    except FileNotFoundError:
        raise PackagingError(f"{path} is not there") from None
    except yaml.YAMLError as error:
        raise PackagingError(f"{path} is not valid YAML: {error}") from error


@dataclass
class _Packager:
    root: Path
    bucket: str

    def __post_init__(self) -> None:
        self.artifacts: dict[str, Artifact] = {}

    def point_to_bucket(self, properties: dict[str, Any], name: str, metadata: dict[str, Any]) -> None:
        """Replace the local path in `properties[name]`, if it is one, by the location of its artifact."""
        uri = properties.get(name)
        if not isinstance(uri, str) or uri.startswith(("s3://", "https://")):
            return
        artifact = self._artifact(name, self.root / uri, metadata)
        self.artifacts[artifact.key] = artifact
        scheme = "https://s3.amazonaws.com" if name == "TemplateURL" else "s3:/"
        properties[name] = f"{scheme}/{self.bucket}/{artifact.key}"

    def _artifact(self, name: str, path: Path, metadata: dict[str, Any]) -> Artifact:
        if name in ("DefinitionUri", "TemplateURL"):
            return _named(path, ".json", json.dumps(load_yaml(path)).encode())
        if not path.is_dir():
            raise PackagingError(f"{path} is not a folder (named by {name} in the template)")
        if name != "ContentUri" or "BuildMethod" not in metadata:
            return _named(path, ".zip", _zip(_contents(_files(path, path))))
        sources = list(_layer_files(path))
        # Bytecode is not the same bytes each time it is made; the sources and the interpreter determine it.
        return _named(path, ".zip", _zip(_with_bytecode(sources)), _zip(_contents(sources)) + _INTERPRETER)


def _named(path: Path, suffix: str, content: bytes, determined_by: bytes | None = None) -> Artifact:
    digest = hashlib.sha256(content if determined_by is None else determined_by).hexdigest()[:20]
    return Artifact(f"{path.name}-{digest}{suffix}", content)


def _contents(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, bytes]]:
    for name, path in files:
        yield name, path.read_bytes()


def _with_bytecode(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, bytes]]:
    for name, path in files:
        source = path.read_bytes()
        yield name, source
        if path.suffix == ".py":
            yield cache_from_source(name), _bytecode(path, source)


def _bytecode(path: Path, source: bytes) -> bytes:
    """The module as bytecode that Python loads without a look at its source (PEP 552, "unchecked hash")."""
    code = SourceFileLoader(path.stem, str(path)).get_code(path.stem)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def _layer_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what the layer's build puts together: the folder's packages, under `python/`."""
    for package_folder in sorted(init.parent for init in folder.glob("*/__init__.py")):
        for name, path in _files(package_folder, folder):
            if path.relative_to(package_folder).parts[0] not in LOCAL_ONLY:
                yield f"python/{name}", path


def _files(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below `folder` with their names relative to `root`, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip that depends on names and contents only, not on when or where it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class _TemplateLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads short tags into their long form, and dates as the strings they are meant to be."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)  # type: ignore[arg-type]
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


def _string(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_TemplateLoader.add_multi_constructor("!", _long_form)
_TemplateLoader.add_constructor("tag:yaml.org,2002:timestamp", _string)
