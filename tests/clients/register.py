"""Every client by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from clients import as_process, in_python
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

EVERYONE = IN_THE_SUITE | ON_NODE
