"""Arguments of the tools."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imagegate.dialects.cleaning import printable_name, without_empty
from imagegate.dialects.mcp.dialect import NAME
from imagegate.dialects.mcp.tools import LONGEST_WAIT, MOST_INPUTS, TOOLS
from imagegate.dialects.openai.requests import DEFAULT_MODEL, EditsBody, GenerationsBody, build_generation_request
from imagegate.dialects.parsing import Line
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.operation import State
from imagegate.domain.request.request import InputImage
from imagegate.usecases.start import GenerationRequest

_NOT_WISHES = ("wait_seconds", "images", "mask")
_Kind = TypeVar("_Kind", bound=BaseModel)


class WaitArguments(BaseModel):
    """How long a call waits."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    wait_seconds: Annotated[float, Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False)] = LONGEST_WAIT


class PictureArguments(BaseModel):
    """The pictures that edit_image works from."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    images: Annotated[list[str], Field(min_length=1, max_length=MOST_INPUTS)]
    mask: str | None = None


class OperationArguments(WaitArguments):
    """Which operation."""

    operation_id: Annotated[Line, Field(max_length=200)]


class ListArguments(BaseModel):
    """Which operations."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    state: State | None = None
    model: Annotated[Line, Field(max_length=200)] | None = None
    page_size: Annotated[int, Field(ge=1, le=50)] = 10
    page_token: Annotated[str, Field(max_length=200)] | None = None


def read_arguments(kind: type[_Kind], arguments: Mapping[str, Any]) -> _Kind:
    """Those that `kind` has. Raises InvalidRequest."""
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        raise first_error(error) from None


def check_names(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that have a value. Raises InvalidRequest for one that the tool does not have."""
    known = TOOLS[tool]["inputSchema"]["properties"]
    for name in arguments:
        if name not in known:
            printed = printable_name(name)
            remedy = f"Known are: {', '.join(known)}." if known else "Leave it out."
            raise InvalidRequest(f"Unknown argument: '{printed}'.", param=printed, remedy=remedy)
    return dict(without_empty(arguments))


def build_generation(
    arguments: Mapping[str, Any],
    *,
    default: str = DEFAULT_MODEL,
    inputs: tuple[InputImage, ...] = (),
    mask: InputImage | None = None,
    idempotency_key: str | None = None,
) -> GenerationRequest:
    """What the arguments of generate_image or edit_image ask for. Raises InvalidRequest.

    Every call is an order of its own, unless it has an idempotency key: a model that wants the picture of an earlier
    call asks for its operation.
    """
    wishes = {name: value for name, value in arguments.items() if name not in _NOT_WISHES}
    kind = EditsBody if inputs else GenerationsBody
    generation = build_generation_request(kind, wishes, default=default, inputs=inputs, mask=mask)
    return replace(generation, dialect=NAME, reply={}, coalesce=False, idempotency_key=idempotency_key)
