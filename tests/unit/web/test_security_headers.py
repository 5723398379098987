"""Every answer has the security headers for browsers."""

from typing import Any

import pytest

from support.gateway import Answered, Gateway

ANSWERS: list[tuple[str, str, Any, int]] = [
    ("POST", "/v1/operations", {"model": "flux", "prompt": "a"}, 202),
    ("POST", "/v1/images/generations", {"prompt": "a"}, 303),
    (
        "POST",
        "/foundationModels/v1/imageGenerationAsync",
        {"modelUri": "art://f/flux", "messages": [{"text": "a"}]},
        200,
    ),
    ("GET", "/v1/models", None, 200),
    ("HEAD", "/v1/models", None, 200),
    ("OPTIONS", "/v1/operations", None, 204),
    ("GET", "/openapi.json", None, 200),
    ("GET", "/docs", None, 200),
    ("POST", "/v1/operations", b"{", 400),
    ("GET", "/v1/models/%ff", None, 400),
    ("GET", "/none", None, 404),
    ("DELETE", "/v1/models", None, 405),
]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(hold_seconds=0)


def said(answer: Answered) -> dict[str, str]:
    names = ("x-content-type-options", "content-security-policy", "strict-transport-security", "referrer-policy")
    return {name: answer.headers.get(name, "") for name in names}


def require(answer: Answered) -> None:
    headers = said(answer)
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("method", "path", "body", "status"), ANSWERS)
def test_every_answer_has_them(gateway: Gateway, method: str, path: str, body: Any, status: int) -> None:
    answer = gateway.call(method, path, body)
    assert answer.status == status
    require(answer)


def test_answers_of_the_layers_around_the_routes_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Gateway(access="keys", hold_seconds=0)
    assert closed.call("GET", "/v1/models").status == 401
    require(closed.call("GET", "/v1/models"))
    broken = Gateway()
    monkeypatch.setattr(broken.store, "get", lambda *given, **named: 1 / 0)
    answer = broken.call("GET", "/v1/operations/06gzj55vfn0ajhf9kn2m")
    assert answer.status == 500
    require(answer)


def test_nothing_is_said_of_tls_without_it(gateway: Gateway) -> None:
    """A browser ignores it there; on loopback it would affect all other servers of the machine."""
    answer = gateway.call("GET", "/v1/models", x_forwarded_proto="http")
    assert said(answer)["strict-transport-security"] == ""
    assert said(answer)["x-content-type-options"] == "nosniff"
