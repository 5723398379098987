"""A session of the second generation of the official Python client; what it got, as JSON on standard output.

session.py '{"url": …, "key": …}'               over HTTP
session.py '{"command": […], "environment": {}}'  over stdio
"""

import asyncio
import base64
import hashlib
import json
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

MOST_WAITS = 4
"""Calls after the first: a busy machine starts functions slowly."""


async def connect(stack: AsyncExitStack, asked: dict[str, Any]) -> Client:
    if "url" not in asked:
        [program, *arguments] = asked["command"]
        environment = {**os.environ, **asked["environment"]}
        server = StdioServerParameters(command=program, args=arguments, env=environment)
    else:
        headers = {"authorization": f"Bearer {asked['key']}"}
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
        server = streamable_http_client(asked["url"], http_client=http)
    return await stack.enter_async_context(Client(server))


async def finished(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    """Call a tool that makes pictures, and do what its result says until they are there."""
    result = await client.call_tool(name, arguments)
    for _ in range(MOST_WAITS):
        if result.structured_content["done"]:
            break
        result = await client.call_tool("get_operation", {"operation_id": result.structured_content["operation_id"]})
    return result


async def session(asked: dict[str, Any]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        client = await connect(stack, asked)
        found = {"version": client.protocol_version, "server": client.server_info.name}
        found["tools"] = [tool.name for tool in (await client.list_tools()).tools]

        made = await finished(client, "generate_image", {"prompt": asked["prompt"], "seed": 7})
        found["made"] = {"kinds": [part.type for part in made.content], **made.structured_content}
        [uri] = [part.uri for part in made.content if part.type == "resource_link"]
        [read] = (await client.read_resource(uri)).contents
        found["read"] = {
            "uri": str(uri),
            "type": read.mime_type,
            "sha256": hashlib.sha256(base64.b64decode(read.blob)).hexdigest(),
        }
        found["listed"] = [str(each.uri) for each in (await client.list_resources()).resources]
        found["templates"] = [each.uri_template for each in (await client.list_resource_templates()).resource_templates]

        slow = {"prompt": f"[delay 5s] {asked['prompt']}", "wait_seconds": 0.2}
        waiting = (await client.call_tool("generate_image", slow)).structured_content
        later = await finished(client, "get_operation", {"operation_id": waiting["operation_id"]})
        found["waited"] = [waiting["done"], later.structured_content["done"]]

        edit = {"prompt": "make it blue", "images": [str(uri)]}
        found["edited"] = (await finished(client, "edit_image", edit)).structured_content

        endless = {"prompt": f"[delay 300s] {asked['prompt']}", "wait_seconds": 0}
        started = (await client.call_tool("generate_image", endless)).structured_content
        cancelled = await client.call_tool("cancel_operation", {"operation_id": started["operation_id"]})
        found["cancelled"] = cancelled.structured_content["state"]

        wrong = await client.call_tool("generate_image", {"prompt": "x", "n": 99})
        found["wrong"] = [wrong.is_error, wrong.content[0].text]
        found["models"] = len((await client.call_tool("list_models", {})).structured_content["models"])
        try:
            await client.call_tool("draw", {})
        except MCPError as error:
            found["unknown_tool"] = error.code
        return found


print(json.dumps(asyncio.run(session(json.loads(sys.argv[1])))))
