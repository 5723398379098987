"""Stand-in for a language model that writes prompts out, as OpenAI's chat completions and as YandexGPT speak.

Contract: docs/protocols/yandexart.md#text-models. The same prompt always gives the same text. Switches for it say
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

from imagegate.local.upstreams.directives import AT_EXPAND, SwitchError, Switches, read_switches
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, CALL_FAULTS, ErrorBody, broken_answer
from imagegate.local.upstreams.openai.requests import OpenAIError, read_json, wrong
from imagegate.local.upstreams.upstream import Upstream
from imagegate.local.upstreams.yandexart import app as yandexart
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
class Ask:
    """A checked request."""

    prompt: str
    characters: int
    """How much may be written."""
    switches: Switches


Show = Callable[[Ask, str | None], dict[str, Any]]


class Chat:
    """Both services; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/foundationModels/v1/completion", self.complete_as_yandex, methods=["POST"]),
        ]
        raised = (HTTPException, OpenAIError, ProtoError, SwitchError)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(raised, describe_error))

    async def complete(self, request: Request) -> Response:
        """`POST /v1/chat/completions`."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "api-key") or not key.strip():
            raise HTTPException(401, "You didn't provide an API key; send Authorization: Bearer, with any value.")
        return await self.serve(request, read_chat(await read_json(request)), show_chat, openai_error)

    async def complete_as_yandex(self, request: Request) -> Response:
        """`POST /foundationModels/v1/completion`."""
        yandexart.require_key(request)
        return await self.serve(request, read_completion(await request.body()), show_completion, yandex_error)

    async def serve(self, request: Request, ask: Ask, show: Show, error_body: ErrorBody) -> Response:
        """Answer, after as long as writing is said to take, unless a fault stands before it."""
        fault = self.upstream.fault(ask.prompt, ask.switches, "expand")
        if fault in CALL_FAULTS - AFTER_ACCEPTING:
            return await broken_answer(fault or "", request, self.upstream.timing, error_body)
        self.upstream.record(ask.prompt, 0, request)
        delay = self.upstream.delay(ask.switches)
        await asyncio.sleep(delay if ask.switches.delay is not None else min(delay, LATENCY))
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault or "", request, self.upstream.timing, error_body)
        return JSONResponse(show(ask, fault))


def read_chat(body: Any) -> Ask:
    """The request in the body of a chat completion; raises OpenAIError or SwitchError."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        wrong("Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
    if not isinstance(body.get("model"), str):
        wrong("you must provide a model parameter", "missing_required_parameter", "model")
    said = [(str(one.get("role")), one.get("content")) for one in messages]
    if any(not isinstance(content, str) for _, content in said):
        wrong("messages: content must be a string", "invalid_type", "messages")
    return ask_of([(role, str(content)) for role, content in said])


def read_completion(body: bytes) -> Ask:
    """The request in the body of a YandexGPT completion; raises ProtoError or SwitchError."""
    message = parse(body)
    if not string(member(message, "modelUri"), "modelUri").startswith("gpt://"):
        raise ProtoError("Failed to parse model URI, expected gpt://<folder>/<model>[/<branch>]")
    int64(member(member(message, "completionOptions"), "maxTokens"), "maxTokens")
    listed = repeated(member(message, "messages"), "messages")
    if not listed:
        raise ProtoError("messages: at least one is needed")
    return ask_of([(string(member(one, "role"), "role"), string(member(one, "text"), "text")) for one in listed])


def ask_of(said: list[tuple[str, str]]) -> Ask:
    """What is asked in messages, each a role and a text."""
    prompt = "\n".join(text for role, text in said if role == "user")
    told = CHARACTERS.search("\n".join(text for role, text in said if role == "system"))
    return Ask(prompt, int(told[1]) if told else 500, read_switches(prompt, "chat"))


def written(ask: Ask, fault: str | None) -> str:
    """The text."""
    wish = " ".join(AT_EXPAND.sub(" ", ask.prompt).split())
    text = " ".join((f"{wish}.", *STYLE))
    if fault == "wordy":
        text = " ".join((f"{wish}.", *STYLE * (2 + ask.characters // 50)))
    while len(text) > ask.characters and ". " in text and fault != "wordy":
        text = text.rpartition(". ")[0] + "."
    variants = {
        "excuse": EXCUSE,
        "no-text": "",
        "refuse": "",
        "chatty": f'Sure! Here is the expanded prompt:\n\n"{text}"[^1]\n\n[^1]: The light is my own addition.',
        "cut-short": f"{text} In the foreground a half-fini",
    }
    return variants.get(fault or "", text)


def show_chat(ask: Ask, fault: str | None) -> dict[str, Any]:
    """A chat completion."""
    text = written(ask, fault)
    used = {"prompt_tokens": len(ask.prompt.split()), "completion_tokens": len(text.split())}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None}
    return {
        "id": "chatcmpl-stand-in",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "stand-in",
        "choices": [{**choice, "finish_reason": FINISHED.get(fault or "", "stop")}],
        "usage": {**used, "total_tokens": sum(used.values())},
    }


def show_completion(ask: Ask, fault: str | None) -> dict[str, Any]:
    """YandexGPT's answer; its 64-bit numbers are strings."""
    text = written(ask, fault)
    used = {"inputTextTokens": len(ask.prompt.split()), "completionTokens": len(text.split())}
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
    """Whatever a handler raises, in the shape of the path it was raised for."""
    body = yandex_error if "/foundationModels/" in request.url.path else openai_error
    if isinstance(error, OpenAIError):
        return JSONResponse(error.body, error.status)
    if isinstance(error, HTTPException):
        return body(error.status_code, error.detail)
    return body(400, str(error))
