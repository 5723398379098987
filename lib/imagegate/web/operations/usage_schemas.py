"""Bodies of `GET /v1/usage` in the OpenAPI document."""

from pydantic import Field

from imagegate.web.openapi_parts import Moment, Schema


class LimitsSchema(Schema):
    """Limits of an API key; null: no limit."""

    requests_per_minute: int | None
    concurrent: int | None = Field(description="Operations that run at the same time.")
    pictures_per_day: int | None
    micro_dollars_per_day: int | None


class LeftSchema(Schema):
    """The rest of the limits."""

    concurrent: int | None
    pictures: int | None = Field(description="Today.")
    micro_dollars: int | None = Field(description="Today.")


class UsedSchema(Schema):
    """The use on a day."""

    day: str = Field(description="In UTC.", examples=["2026-11-20"])
    pictures: int
    micro_dollars: int = Field(description="Millionths of a dollar, by the prices of models.toml.")


class KeyUsageSchema(Schema):
    """The use of an API key's limits."""

    key: str | None = Field(description="Its id; null where the deployment requires no key.")
    counted: bool = Field(description="False for a key without daily or concurrent limits, whose use is not counted.")
    limits: LimitsSchema
    running: int | None = Field(description="Running operations, where they are limited.")
    left: LeftSchema
    resets_at: Moment = Field(description="When the daily limits are reset.")
    days: list[UsedSchema]
