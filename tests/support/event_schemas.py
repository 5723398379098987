"""Holds events against their schemas: those of docs/events, in which every field must be known."""

from typing import Any

from jsonschema import Draft202012Validator

from imagegate.cli.schemas import documents, file_name

_VALIDATORS = {
    name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in documents(closed=True).items()
}


def as_described(event: dict[str, Any]) -> dict[str, Any]:
    """The event; raises ValidationError unless it is just what its schema says."""
    _VALIDATORS[file_name(event["detail-type"])].validate(event)
    return event
