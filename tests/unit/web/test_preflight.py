"""Preflight requests that API Gateway routes to the function by `$default`."""

import pytest

from imagegate.local.stack.packaging import load_yaml
from imagegate.web.preflight import HEADERS, MAX_AGE, METHODS
from support.gateway import Answered, Gateway
from support.stack_settings import TEMPLATE

PAGE = "https://app.example.com"
OTHER = "https://evil.example.com"
PATHS = ("/v1/images/generations", "/v1/operations", "/operations/x:cancel", "/v1/operations/x/wait", "/nothing/here")
CORS = {
    "access-control-allow-methods": ",".join(METHODS),
    "access-control-allow-headers": ",".join(HEADERS),
    "access-control-max-age": str(MAX_AGE),
    "vary": "Origin",
}


def preflight(origins: tuple[str, ...], origin: str, path: str = PATHS[0], access: str = "keys") -> Answered:
    gateway = Gateway(access=access, cors_origins=origins)
    return gateway.call(
        "OPTIONS",
        path,
        origin=origin,
        access_control_request_method="POST",
        access_control_request_headers="authorization,content-type,x-stainless-os",
    )


def cors(answer: Answered) -> dict[str, str]:
    wanted = ("access-control", "vary")
    return {name: value for name, value in answer.headers.items() if name.startswith(wanted)}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("access", ["keys", "open"])
def test_it_is_answered_before_anybody_asks_for_a_key(path: str, access: str) -> None:
    answer = preflight((PAGE,), PAGE, path, access)
    assert (answer.status, answer.text) == (204, "")
    assert cors(answer) == {"access-control-allow-origin": PAGE} | CORS
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("allowed", [("*",), (OTHER, PAGE), ("https://*",), ("http://*", "https://*")])
def test_every_form_of_origin_that_api_gateway_takes(allowed: tuple[str, ...]) -> None:
    assert cors(preflight(allowed, PAGE))["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        ((), PAGE),
        ((PAGE,), OTHER),
        ((PAGE,), f"{PAGE}.evil.example"),
        ((PAGE,), "null"),
        (("http://*",), PAGE),
        ((PAGE, "*"), ""),
    ],
)
def test_other_pages_are_allowed_nothing(allowed: tuple[str, ...], origin: str) -> None:
    answer = preflight(allowed, origin)
    assert answer.status == 204
    assert cors(answer) == {}


def test_it_needs_no_operation_and_takes_no_request_of_a_keys_limit() -> None:
    gateway = Gateway(access="keys", cors_origins=(PAGE,))
    _, text = gateway.key()
    answer = gateway.call("OPTIONS", PATHS[0], origin=PAGE, authorization=f"Bearer {text}")
    assert answer.status == 204
    assert "x-ratelimit-remaining-requests" not in answer.headers
    assert not gateway.store.documents


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_other_method_still_needs_a_key(method: str) -> None:
    gateway = Gateway(access="keys", cors_origins=(PAGE,))
    assert gateway.call(method, "/v1/operations", origin=PAGE, access_control_request_method="POST").status == 401


def test_api_gateway_is_told_the_same() -> None:
    """The function answers what API Gateway would have answered."""
    resources = load_yaml(TEMPLATE)["Resources"]
    condition, api, _ = resources["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert condition == "AnswersOtherOrigins"
    assert (tuple(api["AllowMethods"]), tuple(api["AllowHeaders"]), api["MaxAge"]) == (METHODS, HEADERS, MAX_AGE)
    given = resources["ApiFunction"]["Properties"]["Environment"]["Variables"]["CORS_ORIGINS"]
    assert given == {"Fn::Join": [",", {"Ref": "CorsOrigins"}]}
