"""The same session with the first generation of the official Python client, whose protocol begins with a handshake."""

import asyncio
import base64
import hashlib
import json
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

import httpx
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

MOST_WAITS = 4
"""Calls after the first: a busy machine starts functions slowly."""


async def connect(stack: AsyncExitStack, asked: dict[str, Any]) -> ClientSession:
    if "url" not in asked:
        [program, *arguments] = asked["command"]
        environment = {**os.environ, **asked["environment"]}
        server = StdioServerParameters(command=program, args=arguments, env=environment)
        reading, writing = await stack.enter_async_context(stdio_client(server))
    else:
        headers = {"authorization": f"Bearer {asked['key']}"}
        http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=60))
        streams = await stack.enter_async_context(streamable_http_client(asked["url"], http_client=http))
        reading, writing = streams[:2]
    return await stack.enter_async_context(ClientSession(reading, writing))


async def finished(client: ClientSession, name: str, arguments: dict[str, Any]) -> Any:
    """Call a tool that makes pictures, and do what its result says until they are there."""
    result = await client.call_tool(name, arguments)
    for _ in range(MOST_WAITS):
        if result.structuredContent["done"]:
            break
        result = await client.call_tool("get_operation", {"operation_id": result.structuredContent["operation_id"]})
    return result


async def session(asked: dict[str, Any]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        client = await connect(stack, asked)
        handshake = await client.initialize()
        found = {"version": handshake.protocolVersion, "server": handshake.serverInfo.name}
        await client.send_ping()
        found["tools"] = [tool.name for tool in (await client.list_tools()).tools]

        made = await finished(client, "generate_image", {"prompt": asked["prompt"], "seed": 7})
        found["made"] = {"kinds": [part.type for part in made.content], **made.structuredContent}
        [uri] = [part.uri for part in made.content if part.type == "resource_link"]
        [read] = (await client.read_resource(uri)).contents
        found["read"] = {
            "uri": str(uri),
            "type": read.mimeType,
            "sha256": hashlib.sha256(base64.b64decode(read.blob)).hexdigest(),
        }
        found["listed"] = [str(each.uri) for each in (await client.list_resources()).resources]
        templates = (await client.list_resource_templates()).resourceTemplates
        found["templates"] = [each.uriTemplate for each in templates]

        slow = {"prompt": f"[delay 5s] {asked['prompt']}", "wait_seconds": 0.2}
        waiting = (await client.call_tool("generate_image", slow)).structuredContent
        later = await finished(client, "get_operation", {"operation_id": waiting["operation_id"]})
        found["waited"] = [waiting["done"], later.structuredContent["done"]]

        edit = {"prompt": "make it blue", "images": [str(uri)]}
        found["edited"] = (await finished(client, "edit_image", edit)).structuredContent

        endless = {"prompt": f"[delay 300s] {asked['prompt']}", "wait_seconds": 0}
        started = (await client.call_tool("generate_image", endless)).structuredContent
        cancelled = await client.call_tool("cancel_operation", {"operation_id": started["operation_id"]})
        found["cancelled"] = cancelled.structuredContent["state"]

        wrong = await client.call_tool("generate_image", {"prompt": "x", "n": 99})
        found["wrong"] = [wrong.isError, wrong.content[0].text]
        found["models"] = len((await client.call_tool("list_models", {})).structuredContent["models"])
        try:
            await client.call_tool("draw", {})
        except McpError as error:
            found["unknown_tool"] = error.error.code
        return found


print(json.dumps(asyncio.run(session(json.loads(sys.argv[1])))))
