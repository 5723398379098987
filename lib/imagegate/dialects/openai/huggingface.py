"""Hugging Face's text-to-image task: `inputs` and `parameters`, answered with the picture's bytes."""

from collections.abc import Mapping
from typing import Any

from imagegate.domain.errors import InvalidRequest

BYTES = {"response_format": "bytes"}
"""What the reply of such a request is."""
_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
_OF_THE_TASK = ("inputs", "parameters", "options")


def is_task(fields: Mapping[str, Any]) -> bool:
    """True for a body of the task."""
    return isinstance(fields.get("inputs"), str) and not fields.get("prompt")


def to_fields(fields: Mapping[str, Any], accept: str) -> dict[str, Any]:
    """The fields of the Images API that mean the same; `accept` is the header.

    Raises InvalidRequest for what the answer, one picture, has no room for.
    """
    parameters = fields.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise InvalidRequest("Invalid value for 'parameters': must be an object.", param="parameters")
    outer = {name: value for name, value in fields.items() if name not in _OF_THE_TASK}
    wanted = _FORMATS.get(accept.partition(";")[0].partition(",")[0].strip().lower())
    return {"output_format": wanted, **outer, **parameters, "prompt": fields["inputs"]}


def require_one(n: int) -> None:
    """Raises InvalidRequest for more pictures than one."""
    if n > 1:
        remedy = "Use POST /v1/images/generations with 'prompt' for several."
        raise InvalidRequest("An answer of bytes holds one picture.", param="n", remedy=remedy)
