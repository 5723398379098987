"""`GET /v1/usage`: what the key that asks has used of its limits."""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from imagegate.dialects import usage
from imagegate.dialects.answer import Answer
from imagegate.domain.books import Used
from imagegate.web.access import principal_of
from imagegate.web.respond import respond
from imagegate.web.services import Services

Days = Annotated[int, Query(ge=1, le=usage.LONGEST, description="How many days to show, today included.")]


def add_usage_routes(app: FastAPI, services: Services) -> None:
    """Add the route."""

    @app.get("/v1/usage", name="usage")
    async def show(request: Request, days: Days = 1) -> Response:
        key, now = principal_of(request).key, services.clock.now()
        asked = usage.last_days(days, now)
        used = services.books.read(key.id, asked) if key and key.limits.metered else Used()
        return respond(Answer(200, usage.shown(key, used, asked, now)))
