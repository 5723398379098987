"""An API is a folder in `dialects`, a folder in `web` and a line in the registry. Nothing else knows it."""

import sys
from types import ModuleType
from typing import Any

import pytest
from fastapi import Request
from starlette.responses import Response

from imagegate.dialects import registry
from imagegate.dialects.openai.dialect import OpenAIImagesDialect
from imagegate.dialects.response import ApiResponse
from imagegate.domain.errors import RequestError
from imagegate.web.http import to_response
from imagegate.web.openapi_parts import Documented, ErrorAnswers, ErrorFormat, Schema
from imagegate.web.routing import PrincipalDep, create_router
from support.gateway import Gateway


class Note(Schema):
    """An error of the further API."""

    note: str


class Further(OpenAIImagesDialect):
    """An API with its own errors."""

    name = "further"
    folder = "further"
    title = "Further"

    def owns(self, path: str, query: bytes) -> bool:
        return path.startswith("/further/")

    def id_headers(self, headers: Any, request_id: str) -> dict[str, str]:
        return {"further-id": request_id}

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        return ApiResponse(418, {"note": error.message})

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        return ApiResponse(status, {"note": code})


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    router = create_router()

    @router.get("/further/{thing}", name="further")
    async def further(request: Request, thing: str, principal: PrincipalDep) -> Response:
        return to_response(ApiResponse(200, {"thing": thing, "owner": principal.owner}))

    errors = ErrorAnswers((ErrorFormat(dialect=Further(), schema=Note),))
    document = Documented(summary="Show", responses={200: {"description": "A thing.", "model": Note}}, errors=errors)
    for module, content in (("routes", {"router": router}), ("openapi", {"DOCUMENTED": {"further": document}})):
        made = ModuleType(f"imagegate.web.further.{module}")
        made.__dict__.update(content)
        monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setitem(sys.modules, "imagegate.web.further", ModuleType("imagegate.web.further"))
    monkeypatch.setitem(registry.DIALECTS, "further", Further())  # type: ignore[arg-type]
    return Gateway(access="keys")


def test_its_routes_are_served_to_callers_with_a_key(gateway: Gateway) -> None:
    key, text = gateway.key()
    answer = gateway.call("GET", "/further/a", authorization=f"Bearer {text}")
    assert (answer.status, answer.json()) == (200, {"thing": "a", "owner": key.owner})
    assert answer.headers["further-id"] == answer.headers["x-request-id"]


def test_its_errors_have_its_shape(gateway: Gateway) -> None:
    _, text = gateway.key()
    assert gateway.call("GET", "/further/a").status == 418
    unknown = gateway.call("GET", "/further/a/b", authorization=f"Bearer {text}")
    assert (unknown.status, unknown.json()) == (404, {"note": "no_such_route"})
    other = gateway.call("POST", "/further/a", authorization=f"Bearer {text}")
    assert (other.status, other.json(), other.headers["allow"]) == (405, {"note": "method_not_allowed"}, "GET, HEAD")


def test_it_is_documented(gateway: Gateway) -> None:
    route = gateway.app.openapi()["paths"]["/further/{thing}"]["get"]
    assert (route["tags"], route["summary"]) == (["Further"], "Show")
    assert route["responses"]["401"]["content"]["application/json"]["example"]["note"]
    assert gateway.app.openapi()["components"]["schemas"]["Note"]
