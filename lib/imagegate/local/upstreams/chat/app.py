"""Stand-in for a language model that writes prompts out, as OpenAI's chat completions and as YandexGPT speak.

Contract: docs/protocols/yandexart.md#text-models. The same prompt always gives the same text. Directives for it say
`at expand`; all others stay in the text, for the upstream that makes the picture.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.chat.faults import FAULTS
from imagegate.local.upstreams.directives import AT_EXPAND, DirectiveError, Directives, parse_directives
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, CALL_FAULTS, ErrorBody, broken_answer
from imagegate.local.upstreams.openai.requests import OpenAIError, read_json, wrong
from imagegate.local.upstreams.upstream import Upstream
from imagegate.local.upstreams.yandexart.errors import CODES
from imagegate.local.upstreams.yandexart.protojson import ProtoError, int64, member, repeated, string
from imagegate.local.upstreams.yandexart.requests import parse

LATENCY = 0.2
"""Seconds until the text, at most, unless the prompt has a `[delay … at expand]`."""

CHARACTERS = re.compile(r"at most (\d+) characters")
"""How imagegate tells a language model how much it may write."""

STYLE = (
    "Wide shot from a low angle, the subject in the middle distance.",
    "Soft light of a late afternoon, long shadows, warm highlights.",
    "Muted greens and ochres with one clear accent.",
    "Finely detailed textures, calm background, natural depth of field.",
)
EXCUSE = "I'm sorry, but I can't help with that."
KINDS = {401: ("invalid_request_error", "invalid_api_key"), 429: ("rate_limit_error", "rate_limit_exceeded")}
"""Type and code of OpenAI's errors by HTTP status."""

FINISHED = {"refuse": "content_filter", "cut-short": "length"}
STATUSES = {"refuse": "ALTERNATIVE_STATUS_CONTENT_FILTER", "cut-short": "ALTERNATIVE_STATUS_TRUNCATED_FINAL"}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request."""

    prompt: str
    characters: int
    """How much may be written."""
    directives: Directives


Render = Callable[[ChatRequest, str | None], dict[str, Any]]


class ChatStandIn:
    """Both services; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/foundationModels/v1/completion", self.complete_as_yandex, methods=["POST"]),
        ]
        raised = (HTTPException, OpenAIError, ProtoError, DirectiveError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def complete(self, request: Request) -> Response:
        """`POST /v1/chat/completions`."""
        require_key(request, schemes=("bearer", "api-key"))
        return await self.serve(request, read_chat(await read_json(request)), render_chat, openai_error)

    async def complete_as_yandex(self, request: Request) -> Response:
        """`POST /foundationModels/v1/completion`."""
        require_key(request, schemes=("bearer", "api-key"))
        return await self.serve(request, read_completion(await request.body()), render_completion, yandex_error)

    async def serve(self, request: Request, generation: ChatRequest, render: Render, error_body: ErrorBody) -> Response:
        """Answer after the delay, unless a fault applies before that."""
        fault = self.upstream.fault(generation.prompt, generation.directives, "expand")
        if fault in CALL_FAULTS - AFTER_ACCEPTING:
            return await broken_answer(fault or "", request, self.upstream.timing, error_body)
        self.upstream.record(generation.prompt, 0, request)
        delay = self.upstream.delay(generation.directives)
        await asyncio.sleep(delay if generation.directives.delay is not None else min(delay, LATENCY))
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault or "", request, self.upstream.timing, error_body)
        return JSONResponse(render(generation, fault))


def read_chat(body: Any) -> ChatRequest:
    """The request in the body of a chat completion; raises OpenAIError or DirectiveError."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        wrong("Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
    if not isinstance(body.get("model"), str):
        wrong("you must provide a model parameter", "missing_required_parameter", "model")
    turns = [(str(message.get("role")), message.get("content")) for message in messages]
    if any(not isinstance(content, str) for _, content in turns):
        wrong("messages: content must be a string", "invalid_type", "messages")
    return build_chat_request([(role, str(content)) for role, content in turns])


def read_completion(body: bytes) -> ChatRequest:
    """The request in the body of a YandexGPT completion; raises ProtoError or DirectiveError."""
    message = parse(body)
    if not string(member(message, "modelUri"), "modelUri").startswith("gpt://"):
        raise ProtoError("Failed to parse model URI, expected gpt://<folder>/<model>[/<branch>]")
    int64(member(member(message, "completionOptions"), "maxTokens"), "maxTokens")
    listed = repeated(member(message, "messages"), "messages")
    if not listed:
        raise ProtoError("messages: at least one is needed")
    return build_chat_request(
        [(string(member(entry, "role"), "role"), string(member(entry, "text"), "text")) for entry in listed]
    )


def build_chat_request(turns: list[tuple[str, str]]) -> ChatRequest:
    """The request in messages, each a role and a text."""
    prompt = "\n".join(text for role, text in turns if role == "user")
    limit = CHARACTERS.search("\n".join(text for role, text in turns if role == "system"))
    return ChatRequest(prompt, int(limit[1]) if limit else 500, parse_directives(prompt, FAULTS))


def write_text(generation: ChatRequest, fault: str | None) -> str:
    """The text."""
    wish = " ".join(AT_EXPAND.sub(" ", generation.prompt).split())
    text = " ".join((f"{wish}.", *STYLE))
    if fault == "wordy":
        text = " ".join((f"{wish}.", *STYLE * (2 + generation.characters // 50)))
    while len(text) > generation.characters and ". " in text and fault != "wordy":
        text = text.rpartition(". ")[0] + "."
    variants = {
        "excuse": EXCUSE,
        "no-text": "",
        "refuse": "",
        "chatty": f'Sure! Here is the expanded prompt:\n\n"{text}"[^1]\n\n[^1]: The light is my own addition.',
        "cut-short": f"{text} In the foreground a half-fini",
    }
    return variants.get(fault or "", text)


def render_chat(generation: ChatRequest, fault: str | None) -> dict[str, Any]:
    """A chat completion."""
    text = write_text(generation, fault)
    used = {"prompt_tokens": len(generation.prompt.split()), "completion_tokens": len(text.split())}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None}
    return {
        "id": "chatcmpl-stand-in",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "stand-in",
        "choices": [{**choice, "finish_reason": FINISHED.get(fault or "", "stop")}],
        "usage": {**used, "total_tokens": sum(used.values())},
    }


def render_completion(generation: ChatRequest, fault: str | None) -> dict[str, Any]:
    """YandexGPT's answer; its 64-bit numbers are strings."""
    text = write_text(generation, fault)
    used = {"inputTextTokens": len(generation.prompt.split()), "completionTokens": len(text.split())}
    used["totalTokens"] = sum(used.values())
    alternative = {"message": {"role": "assistant", "text": text}}
    status = STATUSES.get(fault or "", "ALTERNATIVE_STATUS_FINAL")
    return {
        "result": {
            "alternatives": [{**alternative, "status": status}],
            "usage": {name: str(count) for name, count in used.items()},
            "modelVersion": "stand-in",
        }
    }


def openai_error(status: int, text: str) -> Response:
    """OpenAI's error body."""
    kind, code = KINDS.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return JSONResponse(OpenAIError(status, text, kind, code).body, status)


def yandex_error(status: int, text: str) -> Response:
    """The error body of methods that can stream, which the completion is (docs/protocols/yandexart.md#errors)."""
    grpc = CODES.get(status, 2)
    error = {
        "grpcCode": grpc,
        "httpCode": status,
        "message": text,
        "httpStatus": HTTPStatus(status).phrase,
        "details": [],
    }
    return JSONResponse({"error": error}, status)


async def describe_error(request: Request, error: Exception) -> Response:
    """Any exception of a handler, in the shape of its path."""
    body = yandex_error if "/foundationModels/" in request.url.path else openai_error
    if isinstance(error, OpenAIError):
        return JSONResponse(error.body, error.status)
    if isinstance(error, HTTPException):
        return body(error.status_code, error.detail)
    return body(400, str(error))
