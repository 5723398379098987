"""Messages, versions and errors of the MCP endpoint (docs/protocols/mcp.md)."""

import base64
import json
from typing import Any

import pytest

from imagegate.dialects.mcp.messages import WITH_HANDSHAKE
from support.gateway import Gateway
from support.mcp import LATEST, NOW, request, result, send

META = {
    "io.modelcontextprotocol/protocolVersion": LATEST,
    "io.modelcontextprotocol/clientCapabilities": {},
}
CODES = {"parse": -32700, "invalid": -32600, "unknown method": -32601, "params": -32602}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def discover(**changes: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {"_meta": META}, **changes}


def headers(**changes: str) -> dict[str, str]:
    return {"mcp_protocol_version": LATEST, "mcp_method": "server/discover", **changes}


@pytest.mark.parametrize("version", WITH_HANDSHAKE)
def test_the_handshake_takes_the_clients_version(gateway: Gateway, version: str) -> None:
    asked = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": asked}
    body = send(gateway, message).json()
    assert (body["id"], body["result"]["protocolVersion"]) == ("a", version)
    assert body["result"]["serverInfo"]["name"] == "imagegate"
    assert body["result"]["capabilities"] == {"tools": {}, "resources": {}}
    assert send(gateway, {"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 202


@pytest.mark.parametrize("asked", ["2024-01-01", LATEST, "", None, 5])
def test_the_handshake_offers_its_newest_version_for_any_other(gateway: Gateway, asked: Any) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": asked}}
    assert send(gateway, message).json()["result"]["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2025-03-26"])
def test_no_session_is_made_and_none_is_needed(gateway: Gateway, version: str) -> None:
    answer = request(gateway, "tools/list", version=version, mcp_session_id="from-elsewhere")
    assert answer.status == 200
    assert "mcp-session-id" not in answer.headers
    assert result(gateway, "ping", version=version) == {}


def test_without_a_version_it_is_2025_03_26(gateway: Gateway) -> None:
    answer = send(gateway, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    [first, *_] = answer.json()["result"]["tools"]
    assert first["name"] == "generate_image"
    assert not {"title", "outputSchema"} & set(first)


def test_discover_tells_what_a_client_needs(gateway: Gateway) -> None:
    found = result(gateway, "server/discover")
    assert found["supportedVersions"] == [LATEST]
    assert found["capabilities"] == {"tools": {}, "resources": {}}
    assert found["resultType"] == "complete"
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "imagegate"


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "resources/list", "resources/templates/list"])
def test_lists_of_the_latest_version_say_how_long_they_are_fresh(gateway: Gateway, method: str) -> None:
    found = result(gateway, method)
    assert found["ttlMs"] >= 0
    assert found["cacheScope"] == ("private" if method == "resources/list" else "public")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "parse"),
        (b"{", "parse"),
        (b'"text"', "parse"),
        (b"\xff", "parse"),
        (b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}', "parse"),
        (b"[" * 50_000, "parse"),
        (b"[]", "invalid"),
        (b"[1]", "invalid"),
        (b'{"id": 1, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": 1}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', "invalid"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', "params"),
    ],
)
def test_what_is_no_message_is_refused_by_http_too(gateway: Gateway, body: bytes, code: str) -> None:
    answer = send(gateway, body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, CODES[code])
    assert answer.json().get("id") in (None, 1)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("prompts/list", {}, "unknown method"),
        ("server/discover", {}, "unknown method"),
        ("tools/call", {"name": "draw"}, "params"),
        ("tools/call", {"name": 5}, "params"),
        ("tools/call", {}, "params"),
        ("tools/call", {"name": "list_models", "arguments": []}, "params"),
        ("resources/read", {}, "params"),
        ("resources/list", {"cursor": "nonsense"}, "params"),
        ("resources/list", {"cursor": 5}, "params"),
    ],
)
def test_until_2025_11_25_errors_of_a_valid_request_are_200(
    gateway: Gateway, method: str, params: Any, code: str
) -> None:
    message = {"jsonrpc": "2.0", "id": 3, "method": method, "params": params}
    answer = send(gateway, message, mcp_protocol_version="2025-11-25")
    assert (answer.status, answer.json()["id"], answer.json()["error"]["code"]) == (200, 3, CODES[code])


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "prompts/list", "subscriptions/listen"])
def test_a_method_that_the_latest_version_does_not_have_is_404(gateway: Gateway, method: str) -> None:
    answer = request(gateway, method)
    assert (answer.status, answer.json()["error"]["code"]) == (404, CODES["unknown method"])


@pytest.mark.parametrize("params", [{"name": "draw"}, {"name": "list_models", "arguments": []}])
def test_wrong_parameters_are_400_in_the_latest_version(gateway: Gateway, params: Any) -> None:
    answer = request(gateway, "tools/call", params)
    assert (answer.status, answer.json()["error"]["code"]) == (400, CODES["params"])


@pytest.mark.parametrize("missing", [*META, "_meta"])
def test_the_latest_version_wants_its_facts_in_each_request(gateway: Gateway, missing: str) -> None:
    meta = {name: value for name, value in META.items() if name != missing}
    params = {} if missing == "_meta" else {"_meta": meta}
    answer = send(gateway, discover(params=params), **headers())
    assert (answer.status, answer.json()["error"]["code"], answer.json()["id"]) == (400, CODES["params"], 7)


@pytest.mark.parametrize("version", ["v999.0.0", "2025-11-25", "2027-01-01"])
def test_another_version_is_told_which_there_is(gateway: Gateway, version: str) -> None:
    meta = {**META, "io.modelcontextprotocol/protocolVersion": version}
    answer = send(gateway, discover(params={"_meta": meta}), **headers(mcp_protocol_version=version))
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (400, -32022)
    assert error["data"] == {"supported": [LATEST], "requested": version}


def test_an_unknown_version_in_the_header_alone_is_refused(gateway: Gateway) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = send(gateway, message, mcp_protocol_version="1999-01-01")
    assert (answer.status, answer.json()["error"]["code"]) == (400, -32022)
    notification = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    assert send(gateway, notification, mcp_protocol_version="1999-01-01").status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"mcp_protocol_version": "2025-11-25"},
        {"mcp_method": "tools/list"},
        {"mcp_method": "SERVER/DISCOVER"},
        {"mcp_method": ""},
    ],
)
def test_headers_that_differ_from_the_body_are_refused(gateway: Gateway, changes: dict[str, str]) -> None:
    answer = send(gateway, discover(), **headers(**changes))
    assert (answer.status, answer.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize("absent", ["mcp_protocol_version", "mcp_method"])
def test_headers_are_required(gateway: Gateway, absent: str) -> None:
    given = {name: value for name, value in headers().items() if name != absent}
    answer = send(gateway, discover(), **given)
    assert (answer.status, answer.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("list_models", 200),
        (f"=?base64?{base64.b64encode(b'list_models').decode()}?=", 200),
        ("=?base64?!?=", 400),
        (f"=?base64?{base64.b64encode(bytes([255])).decode()}?=", 400),
        ("generate_image", 400),
        ("LIST_MODELS", 400),
    ],
)
def test_the_name_in_the_header_is_the_tools(gateway: Gateway, name: str, status: int) -> None:
    answer = request(gateway, "tools/call", {"name": "list_models"}, mcp_name=name)
    assert answer.status == status
    if status == 400:
        assert answer.json()["error"]["code"] == -32020


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
def test_there_is_no_stream_to_get_and_no_session_to_delete(gateway: Gateway, method: str) -> None:
    answer = gateway.call(method, "/mcp", accept="text/event-stream")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json()["error"]["code"] == 405


def test_parameters_of_the_url_are_refused(gateway: Gateway) -> None:
    answer = gateway.call("POST", "/mcp?model=flux", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert (answer.status, answer.json()["error"]["data"]["param"]) == (400, "model")
    assert answer.json()["error"]["message"] == "Unknown parameter: 'model'. Leave it out."


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/event-stream", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("application/*;q=0.5", 200),
        ("", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
    ],
)
def test_the_client_has_to_accept_json(gateway: Gateway, accept: str, status: int) -> None:
    assert request(gateway, "tools/list", accept=accept).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://app.example.com", 200),
        ("https://api.invalid", 200),
        ("https://proxy.example.com", 200),
        ("https://images.example.com", 403),
        ("null", 403),
        ("http://[", 403),
        ("https://api.invalid@evil.example", 403),
        ("", 403),
    ],
)
def test_pages_of_other_origins_are_refused(origin: str, status: int) -> None:
    gateway = Gateway(cors_origins=("https://app.example.com",))
    answer = request(gateway, "tools/list", origin=origin, x_forwarded_host="proxy.example.com")
    assert answer.status == status
    assert "id" not in answer.json() or status == 200


def test_without_a_key_the_client_learns_which_scheme_to_use() -> None:
    gateway = Gateway(access="keys")
    answer = request(gateway, "tools/list")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="imagegate"')
    assert (answer.json()["error"]["code"], answer.json()["error"]["data"]["code"]) == (401, "invalid_api_key")
    assert "id" not in answer.json()
    _, key = gateway.key()
    assert result(gateway, "tools/list", key=key)["tools"]


def test_a_batch_is_answered_in_2025_03_26_only(gateway: Gateway) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
        {"jsonrpc": "2.0", "id": 3, "result": {}},
    ]
    answer = send(gateway, batch)
    assert answer.status == 200
    assert [(each["id"], each.get("result"), each.get("error", {}).get("code")) for each in answer.json()] == [
        (1, {}, None),
        (2, None, -32601),
    ]
    later = send(gateway, batch[:1], mcp_protocol_version="2025-11-25")
    assert later.json()[0]["error"]["code"] == -32600
    assert send(gateway, batch[1:2]).status == 202
    assert send(gateway, batch[:1] * 21).status == 400


def test_a_batch_starts_one_picture_at_most(gateway: Gateway) -> None:
    """Twenty would hold the request for twenty times as long, and their answers be twenty times as large."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "generate_image", "arguments": NOW}}
    refused = send(gateway, [call, {**call, "id": 2}])
    assert (refused.status, gateway.store.documents) == (400, {})
    [answer] = send(gateway, [call]).json()
    assert not answer["result"]["isError"]
    assert len(gateway.store.documents) == 1


def test_responses_of_the_client_are_taken_and_not_answered(gateway: Gateway) -> None:
    answer = send(gateway, {"jsonrpc": "2.0", "id": 5, "result": {}})
    assert (answer.status, answer.text) == (202, "")


def test_a_message_that_is_too_large_is_413(gateway: Gateway) -> None:
    answer = send(gateway, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x" * 7_000_000}).encode())
    assert (answer.status, answer.json()["error"]["data"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("path", ["/mcp/", "/v1/mcp", "/v1/mcp/", "/api/mcp"])
def test_base_urls_as_people_configure_them_lead_to_it(gateway: Gateway, path: str) -> None:
    answer = gateway.call("POST", path, {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (answer.status, answer.json()["result"]) == (200, {})


def test_a_fault_of_the_gateway_is_an_error_of_the_protocol(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(gateway.store), "page", None)
    answer = request(gateway, "resources/list")
    assert (answer.status, answer.json()["error"]["code"]) == (500, 500)
    assert answer.json()["error"]["data"] == {"code": "internal", "request_id": "request-1"}
