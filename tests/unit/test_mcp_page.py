"""The configurations in docs/mcp.md parse, and what they send is understood."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Gateway

PAGE = (Path(__file__).parents[2] / "docs/mcp.md").read_text()
ADDRESS = "https://images.example.com/mcp"
BLOCKS = re.findall(r"^```(json|toml)\n(.+?)^```", PAGE, re.M | re.S)
KEY = re.compile(r"\$\{(IMAGEGATE_API_KEY|env:IMAGEGATE_API_KEY|input:imagegate-key)\}")
"""How each client names the key that it puts in."""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}


def configured() -> list[dict[str, Any]]:
    """The server in every configuration that has an address."""
    parsed = [json.loads(text) if kind == "json" else tomllib.loads(text) for kind, text in BLOCKS]
    servers = [next(value for name, value in document.items() if "ervers" in name) for document in parsed]
    return [server["imagegate"] for server in servers if "url" in server["imagegate"]]


def headers_of(server: dict[str, Any], key: str) -> dict[str, str]:
    if "bearer_token_env_var" in server:
        assert server["bearer_token_env_var"] == "IMAGEGATE_API_KEY"
        return {"authorization": f"Bearer {key}"}
    return {name.lower(): KEY.sub(key, value) for name, value in server["headers"].items()}


def test_every_client_has_its_configuration() -> None:
    assert len(configured()) == 4
    assert len(BLOCKS) == 5


@pytest.mark.parametrize("server", configured(), ids=lambda server: ",".join(server))
def test_what_a_configuration_sends_is_understood(server: dict[str, Any]) -> None:
    gateway = Gateway(access="keys")
    key = gateway.key()[1]
    assert server["url"] == ADDRESS
    answer = gateway.call("POST", "/mcp", INITIALIZE, **headers_of(server, key))
    assert answer.status == 200, answer.text
    assert answer.json()["result"]["serverInfo"]["name"] == "imagegate"
    assert gateway.call("POST", "/mcp", INITIALIZE, **headers_of(server, "ig_none_none")).status == 401
