"""Bodies about uploads in the OpenAPI document."""

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema


class UploadedSchema(Schema):
    """An upload in place of a picture."""

    upload: str


class UploadSchema(Schema):
    """A form to send a picture with (docs/requests.md#large-pictures)."""

    id: str
    url: str = Field(description="Where to POST the form.")
    fields: dict[str, str] = Field(description="The form's fields; the picture follows them in the field `file`.")
    largest_bytes: int
    expires_at: Moment = Field(description="When the form is no longer accepted.")
    usable_until: Moment
    image: UploadedSchema = Field(description="What a request has in place of the picture.")
