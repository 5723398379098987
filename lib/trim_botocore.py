"""Cut botocore's data down to the operations that the functions call: `python trim_botocore.py <botocore/data>`.

Run by lib/Makefile on the layer. A client parses its service's whole model at every cold start.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OPERATIONS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}
    ),
    "events": frozenset({"PutEvents"}),
    "lambda": frozenset({"Invoke"}),
    # CreateBucket is called by no function: boto3 takes from it the address of a form for uploads.
    "s3": frozenset({"CreateBucket", "DeleteObjects", "GetObject", "PutObject"}),
    "sqs": frozenset({"ChangeMessageVisibility", "ReceiveMessage", "SendMessage"}),
    "ssm": frozenset({"GetParameter", "GetParametersByPath", "PutParameter"}),
    "stepfunctions": frozenset({"StartExecution"}),
    "kms": frozenset({"Sign"}),
}
"""What the adapters call, by botocore's name of the service; tests/unit/test_trim_botocore.py compares it with them."""
_SHARED = frozenset({"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"})
_PARTS = ("service-2", "endpoint-rule-set-1")


def trim(data: Path) -> None:
    """Replace the contents of botocore's folder `data` by what the operations need, as plain JSON."""
    kept = {service: _service(data / service, operations) for service, operations in OPERATIONS.items()}
    endpoints = _read(data / "endpoints.json")
    for entry in data.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in _SHARED:
            entry.unlink()
    _write(data / "endpoints.json", _endpoints(endpoints))
    for service, (version, parts) in kept.items():
        for name, part in parts.items():
            _write(data / service / version / f"{name}.json", part)


def _service(folder: Path, operations: frozenset[str]) -> tuple[str, dict[str, Any]]:
    """The newest version of a service's model, and its parts by their names."""
    newest = max(version for version in folder.iterdir() if any(version.glob("service-2.json*")))
    parts = {name: _read(next(newest.glob(f"{name}.json*"))) for name in _PARTS}
    parts |= {file.stem: _read(file) for file in newest.glob("service-2.sdk-extras.json")}
    parts |= {file.stem: _paginators(_read(file), operations) for file in newest.glob("paginators-1.json")}
    return newest.name, parts | {"service-2": _model(parts["service-2"], operations)}


def _paginators(paginators: dict[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    return {"pagination": {name: page for name, page in paginators["pagination"].items() if name in operations}}


def _model(model: dict[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    """The model with these operations and the shapes that they reach. Documentation is left out."""
    kept = {name: model["operations"][name] for name in sorted(operations)}
    found, waiting = dict[str, Any](), list(_shapes_in(list(kept.values())))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = model["shapes"][name]
            waiting += _shapes_in(found[name])
    undocumented: dict[str, Any] = _without_documentation(model | {"operations": kept, "shapes": found})
    return undocumented


def _shapes_in(part: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for child in part:
            yield from _shapes_in(child)


def _without_documentation(part: Any) -> Any:
    """The part with its texts emptied, which botocore expects; a member named `documentation` is no text, and stays."""
    if isinstance(part, list):
        return [_without_documentation(child) for child in part]
    if not isinstance(part, dict):
        return part
    return {
        key: "" if key == "documentation" and isinstance(child, str) else _without_documentation(child)
        for key, child in part.items()
    }


def _endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Every partition and region, with the services' own entries. Its names are those of the hosts."""
    hosts = {*OPERATIONS, "states"}
    for partition in endpoints["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in hosts}
    return endpoints


def _read(file: Path) -> Any:
    content = file.read_bytes()
    return json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # uv links what it installs to its cache and so to every environment: writing into the file would change them all.
    file.unlink(missing_ok=True)
    file.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
