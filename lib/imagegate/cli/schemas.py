"""`imagegate schemas`: the events as JSON Schema, as docs/events keeps them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from imagegate.cli.sentences import in_a_sentence
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.events import DETAIL_TYPES, SOURCE
from imagegate.domain.operation.operation import State

REQUESTED = "Image Generation Requested"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ONLY_OVER_HTTP = {
    "OperationSchema": ("estimated_ready_at", "urls", "request", "cost_usd", "partials"),
    "PictureSchema": ("id", "url", "preview_url"),
    "WebhookSchema": ("url",),
}
"""What the operations API adds to what is announced."""
_TEXT = {"type": "string"}
Schema = dict[str, Any]


def schemas(folder: Annotated[Path, typer.Argument(file_okay=False)]) -> None:
    """Write a schema per event into a folder."""
    with in_a_sentence():
        try:
            folder.mkdir(exist_ok=True)
            for name, schema in documents().items():
                (folder / name).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            message = f"The schemas cannot be written to {folder}: {error.strerror}."
            raise InvalidRequest(message, remedy="Name another folder.") from None


def documents(*, closed: bool = False) -> Mapping[str, Schema]:
    """The schemas by file name. Consumers' are open, for announcements may grow; `closed` ones know every field."""
    made = {detail_type: _announcement(state, detail_type) for state, detail_type in DETAIL_TYPES.items()}
    if not closed:
        made = {detail_type: _allow_more(schema) for detail_type, schema in made.items()}
    return {file_name(detail_type): schema for detail_type, schema in {**made, REQUESTED: _requested()}.items()}


def file_name(detail_type: str) -> str:
    """The file of an event's schema."""
    return detail_type.lower().replace(" ", "-") + ".json"


def _announcement(state: State, detail_type: str) -> Schema:
    from imagegate.web.operation_schemas import OperationSchema

    operation = OperationSchema.model_json_schema(mode="serialization")
    shapes = operation.pop("$defs") | {"OperationSchema": operation}
    for name in ("UrlsSchema", "RequestSchema", "SizeSchema", "PartialSchema"):
        shapes.pop(name)
    for shape, names in _ONLY_OVER_HTTP.items():
        for name in names:
            del shapes[shape]["properties"][name]
            shapes[shape]["required"].remove(name)
    _add(shapes["PictureSchema"], "bucket", _TEXT | {"description": "The S3 bucket in which `key` is."})
    # A late picture is a success, though the operation stays failed.
    states = ["succeeded", "failed"] if state is State.SUCCEEDED else [state.value]
    operation["properties"]["state"] = {"enum": states}
    detail: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    _add(detail, "event_id", _TEXT | {"description": "The same however often the event is delivered."})
    _add(detail, "sequence", {"type": "integer", "minimum": 1, "description": "Grows with each of an operation's."})
    _add(detail, "owner", _TEXT | {"description": "The id of the API key it belongs to, or everybody."})
    _add(detail, "abridged", {"type": "boolean", "description": "Long texts were cut, or old attempts left out."})
    _add(detail, "operation", {"$ref": "#/$defs/OperationSchema"})
    return {**_envelope(detail_type, {"const": SOURCE}, detail), "$defs": shapes}


def _requested() -> Schema:
    from imagegate.dialects.operations.requests import CreateBody

    detail = CreateBody.model_json_schema()
    shapes = detail.pop("$defs")
    del detail["properties"]["validate_only"]
    description = "Requests of one id are one request. Without it, the event's own id counts."
    detail["properties"]["id"] = {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": 255,
        "description": description,
    }
    description = "`false`: the words are not kept beyond the run, as with the header x-data-logging-enabled."
    detail["properties"]["data_logging_enabled"] = {"type": ["boolean", "null"], "description": description}
    return {**_envelope(REQUESTED, _TEXT, detail), "$defs": shapes}


def _envelope(detail_type: str, source: Schema, detail: Schema) -> Schema:
    """What EventBridge makes of an entry."""
    made: Schema = {"$schema": _DRAFT, "title": detail_type, "type": "object", "properties": {}, "required": []}
    for name in ("version", "id", "account", "region"):
        _add(made, name, _TEXT)
    _add(made, "time", _TEXT | {"format": "date-time"})
    _add(made, "resources", {"type": "array", "items": _TEXT})
    _add(made, "source", source)
    _add(made, "detail-type", {"const": detail_type})
    _add(made, "detail", detail)
    return made


def _add(schema: Schema, name: str, content: Schema) -> None:
    schema["properties"][name] = content
    schema["required"].append(name)


def _allow_more(schema: Any) -> Any:
    """The schema without `additionalProperties: false`."""
    if isinstance(schema, list):
        return [_allow_more(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: content for name, content in schema.items() if (name, content) != ("additionalProperties", False)}
    return {name: _allow_more(content) for name, content in kept.items()}
