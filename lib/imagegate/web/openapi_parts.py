"""What every API documents its routes with: `Documented`, and the parts of it that all APIs share.

Loaded only when the OpenAPI document is made, not when a request is answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imagegate.dialects import parsing
from imagegate.dialects.dialect import Dialect
from imagegate.domain.errors import RequestError
from imagegate.web.openapi_samples import render_error

Responses = dict[int | str, dict[str, Any]]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Schema(BaseModel):
    """The body of an answer. The dialects make the bodies; tests compare both."""

    model_config = ConfigDict(extra="forbid")


class TokensSchema(Schema):
    """Tokens by kind, where the upstream counts them."""

    text_tokens: int
    image_tokens: int


class UsageSchema(Schema):
    """Tokens, as OpenAI counts them."""

    input_tokens: int
    input_tokens_details: TokensSchema
    output_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFormat:
    """The error body of one API."""

    dialect: Dialect
    schema: type[BaseModel]
    media_type: str = "application/json"
    failures: Mapping[int, Any] = field(default_factory=dict)
    """Examples of errors that are no refusals, by status."""

    def example(self, status: int, refusals: Mapping[int, RequestError]) -> Any:
        """An error with that status; `refusals` are the route's own."""
        return self.failures.get(status) or render_error(self.dialect, status, refusals)


@dataclass(frozen=True, slots=True)
class ErrorAnswers:
    """The errors of a route, in one shape or, where the operation's dialect decides, in several."""

    shapes: tuple[ErrorFormat, ...]

    def __call__(self, **described: str) -> Responses:
        """Answers by status: `s404="No such operation."` describes 404."""
        content = {shape.media_type: {"schema": reference_to(shape.schema)} for shape in self.shapes}
        return {int(status[1:]): {"description": what, "content": content} for status, what in described.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBody:
    """The body of a request, by media type; `model` becomes a component that the schemas refer to."""

    model: type[BaseModel]
    content: Mapping[str, Any]
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What the OpenAPI document says of the routes of one name."""

    summary: str
    description: str = ""
    responses: Responses
    """Without those that web/openapi_access.py adds to every route."""
    errors: ErrorAnswers
    examples: Mapping[int, Any] = field(default_factory=dict)
    """Bodies of answers below 400, by status."""
    examples_by_dialect: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """The same where the operation's dialect decides: status to dialect to body."""
    refusals: Mapping[int, RequestError] = field(default_factory=dict)
    """Examples of refusals in place of the usual ones, by status."""
    parameters: Sequence[Mapping[str, Any]] = ()
    """Those that are not in the handler's signature."""
    body: RequestBody | None = None
    requires_model: bool = False
    """True when the API key must allow the model."""
    accepts_links: bool = False
    """True when a signed link opens the path without a key."""


def reference_to(model: type[BaseModel]) -> dict[str, Any]:
    """A reference to the model's component."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def json_body(model: type[BaseModel], *, required: bool = True, **examples: dict[str, Any]) -> RequestBody:
    """A JSON body with named examples."""
    named = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": {"schema": reference_to(model), "examples": named}}
    return RequestBody(model=model, content=content, required=required)


def header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """An optional header of requests."""
    schema = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


REDIRECT = {"description": "It takes longer: continue to wait at Location.", "model": dict[str, Any]}
TOO_LARGE = {"description": "Too large for one answer: it is at Location.", "model": dict[str, Any]}
PREFER = header("Prefer", "`wait=N` holds the request up to N seconds; `respond-async` answers 202 (RFC 7240).")
OVERTAKEN = "Too many requests for the same operation at the same time: send it again."
IDEMPOTENCY_KEY = header(
    "Idempotency-Key", "The same key gives the same operation for at least 24 hours.", minLength=1, maxLength=255
)
DATA_LOGGING = header(
    parsing.DATA_LOGGING, "`false`: the prompt is not kept after the operation has ended.", enum=["true", "false"]
)
