"""The methods of the protocol."""

from collections.abc import Mapping
from typing import Any

from imagegate import __version__
from imagegate.dialects.mcp.messages import (
    INVALID_PARAMS,
    LATEST,
    SERVER_KEY,
    UNKNOWN_METHOD,
    WITH_HANDSHAKE,
    RpcError,
    RpcMessage,
)
from imagegate.dialects.mcp.tools import TOOLS, render_tools
from imagegate.web.mcp import resources, tools
from imagegate.web.mcp.caller import Caller

_SERVER = {"name": "imagegate", "title": "imagegate", "version": __version__}
_CAPABILITIES: dict[str, Any] = {"tools": {}, "resources": {}}
_INSTRUCTIONS = (
    "imagegate makes and edits pictures with many models. generate_image and edit_image return a preview and a link; "
    "give the link to the user. Where `done` is false, call get_operation with the operation_id until it is true."
)
_PUBLIC, _PRIVATE = {"ttlMs": 3_600_000, "cacheScope": "public"}, {"ttlMs": 0, "cacheScope": "private"}


def call(message: RpcMessage, version: str, caller: Caller) -> Mapping[str, Any]:
    """The result of a request. Raises RpcError."""
    modern = version == LATEST
    match message.method:
        case "initialize" if not modern:
            return _initialize(message)
        case "ping" if not modern:
            return {}
        case "server/discover" if modern:
            return {
                "supportedVersions": [LATEST],
                "capabilities": _CAPABILITIES,
                "instructions": _INSTRUCTIONS,
                "_meta": {SERVER_KEY: _SERVER},
                **_PUBLIC,
            }
        case "tools/list":
            return {"tools": render_tools(version), **(_PUBLIC if modern else {})}
        case "tools/call":
            return _call_tool(message, version, caller)
        case "resources/list":
            cursor = _text(message, "cursor") if message.params.get("cursor") is not None else None
            return {**resources.list_pictures(caller, cursor), **(_PRIVATE if modern else {})}
        case "resources/templates/list":
            return {"resourceTemplates": resources.TEMPLATES, **(_PUBLIC if modern else {})}
        case "resources/read":
            found = resources.read(caller, _text(message, "uri"), modern=modern)
            return {"contents": [found], **(_PRIVATE if modern else {})}
    raise RpcError(UNKNOWN_METHOD, f"Unknown method: '{message.method[:100]}'.")


def _initialize(message: RpcMessage) -> dict[str, Any]:
    """The handshake: the client's version where it is supported, or else the newest that has one."""
    asked = message.params.get("protocolVersion")
    version = asked if asked in WITH_HANDSHAKE else WITH_HANDSHAKE[0]
    return {
        "protocolVersion": version,
        "capabilities": _CAPABILITIES,
        "serverInfo": _SERVER,
        "instructions": _INSTRUCTIONS,
    }


def _call_tool(message: RpcMessage, version: str, caller: Caller) -> Mapping[str, Any]:
    name, arguments = _text(message, "name"), message.params.get("arguments")
    if name not in TOOLS:
        raise RpcError(INVALID_PARAMS, f"Unknown tool: '{name[:100]}'. Known are: {', '.join(TOOLS)}.")
    if not isinstance(arguments, dict | None):
        raise RpcError(INVALID_PARAMS, "`arguments` is an object.")
    return tools.call(name, arguments or {}, version, caller)


def _text(message: RpcMessage, name: str) -> str:
    value = message.params.get(name)
    if not isinstance(value, str):
        raise RpcError(INVALID_PARAMS, f"`{name}` is a text.")
    return value
