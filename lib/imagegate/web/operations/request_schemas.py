"""A request as its operation tells it, in the OpenAPI document."""

from pydantic import Field

from imagegate.web.openapi_parts import Schema


class SizeSchema(Schema):
    """Pixels."""

    width: int
    height: int


class RequestSchema(Schema):
    """The optional fields of the request; null where it had none."""

    size: SizeSchema | None
    aspect_ratio: str | None
    seed: int | None
    steps: int | None
    guidance: float | None
    negative_prompt: str | None
    output_format: str | None
    output_compression: int | None
    partial_images: int | None
    provider: str | None
    input_images: int = Field(description="How many pictures it worked from.")
    mask: bool
