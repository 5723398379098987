"""Uploads in the operations API."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from imagegate.dialects.parsing import parse_document
from imagegate.dialects.response import ApiResponse
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.operation.representation import rfc3339
from imagegate.usecases.uploads import LARGEST_UPLOAD, UploadForm


class UploadBody(BaseModel):
    """The body of POST /v1/uploads."""

    model_config = ConfigDict(extra="forbid")

    content_type: Literal["image/png", "image/jpeg", "image/webp"]


def parse_upload(body: bytes) -> str:
    """Parse the content type of a picture that is going to be uploaded. Raises InvalidRequest."""
    try:
        return UploadBody.model_validate(parse_document(body or b"{}"), strict=True).content_type
    except ValidationError as error:
        raise first_error(error) from None


def render_upload(form: UploadForm) -> ApiResponse:
    """201: the form, and what to put into a request in place of a picture."""
    document = {
        "id": form.id,
        "url": form.url,
        "fields": dict(form.fields),
        "largest_bytes": LARGEST_UPLOAD,
        "expires_at": rfc3339(form.expires_at),
        "usable_until": rfc3339(form.usable_until),
        "image": {"upload": form.id},
    }
    return ApiResponse(201, document, {"cache-control": "no-store"})
