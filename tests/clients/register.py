"""Every client by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from clients import as_process, in_python, in_python_agents
from clients.outcome import Ask, Outcome

Client = Callable[[Ask], Outcome]


@dataclass(frozen=True, slots=True)
class Entry:
    """A client, and how it wants its picture in these tests."""

    generate: Client
    response_format: Literal["url", "b64_json"] | None = None


QUICK = ("openai", "litellm", "curl -L")
"""What `make test` waits with; the others of these follow in `make test-slow`."""
IN_THE_SUITE = {
    "openai": Entry(in_python.openai_sync, "b64_json"),
    "openai-async": Entry(in_python.openai_async),
    "litellm": Entry(as_process.litellm),
    "requests": Entry(in_python.requests_post, "url"),
    "aiohttp": Entry(in_python.aiohttp_post, "b64_json"),
    "urllib": Entry(in_python.urllib_open),
    "curl -L": Entry(as_process.curl_follow, "b64_json"),
    "curl -X POST -L": Entry(as_process.curl_post_follow, "url"),
}

ON_NODE = {
    "node openai": Entry(as_process.node_openai),
    "node ai-sdk": Entry(as_process.node_ai_sdk),
    "node axios": Entry(as_process.node_axios, "url"),
    "node fetch": Entry(as_process.node_fetch, "b64_json"),
}

FOR_AGENTS = {
    "responses": Entry(in_python_agents.responses_create),
    "responses stream": Entry(in_python_agents.responses_stream),
    "responses background": Entry(in_python_agents.responses_background),
    "chat": Entry(in_python_agents.chat_create),
    "chat stream": Entry(in_python_agents.chat_stream),
    "agents sdk": Entry(as_process.agents_sdk),
    "pydantic-ai": Entry(as_process.pydantic_ai_tool),
    "langchain": Entry(as_process.langchain_tool),
    "node responses": Entry(as_process.node_responses),
    "node chat": Entry(as_process.node_chat),
    "node ai-sdk tool": Entry(as_process.node_ai_sdk_tool),
}
"""Clients of Responses and of Chat Completions."""

OF_STREAMS = {
    "images": Entry(in_python_agents.images_stream),
    "responses": Entry(in_python_agents.responses_stream),
    "chat": Entry(in_python_agents.chat_stream),
    "node images": Entry(as_process.node_images_stream),
    "node responses": Entry(as_process.node_responses_stream),
    "node chat": Entry(as_process.node_chat_stream),
}
"""OpenAI's packages with `stream: true`."""

EVERYONE = IN_THE_SUITE | ON_NODE
