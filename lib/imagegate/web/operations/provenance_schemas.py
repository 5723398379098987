"""Bodies about the origin of pictures in the OpenAPI document."""

from typing import Literal

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema


class ProvenanceSchema(Schema):
    """The marks of origin of a picture (docs/provenance.md)."""

    upstream: list[Literal["c2pa", "xmp"]] = Field(description="Those of the upstream: C2PA manifest, XMP packet.")
    kept: list[Literal["c2pa", "xmp"]] = Field(description="Those of them that the picture still has.")
    added: list[Literal["c2pa", "xmp"]] = Field(description="Those that imagegate made.")
    digital_source_type: str | None = Field(
        description="IPTC's word for how it was made, as its XMP or imagegate's manifest has it."
    )
    validation: Literal["invalid", "valid", "trusted"] | None = Field(
        description="C2PA's state of the manifest in the picture; null where none was checked."
    )
    signer: str | None = Field(description="Whom the certificate of that manifest names.")
    note: str | None = Field(description="Why imagegate added nothing, or what was lost.")


class PictureProvenanceSchema(Schema):
    """Where a picture comes from (docs/provenance.md)."""

    id: str
    operation_id: str
    sha256: str
    content_type: str
    converted_from: str | None
    provider: str
    model: str | None = Field(description="The upstream's own name of the model.")
    requested_at: Moment
    provenance: ProvenanceSchema | None
