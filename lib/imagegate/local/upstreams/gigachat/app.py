"""Stand-in for Sber's GigaChat: OAuth, a chat that draws, and the files it draws.

Contract: docs/protocols/gigachat.md.
"""

import asyncio
import secrets
import time
import uuid
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.auth import require_key
from imagegate.local.upstreams.directives import DirectiveError
from imagegate.local.upstreams.drawing.pictures import PictureSpec, serve_picture
from imagegate.local.upstreams.faults import AFTER_ACCEPTING, BEFORE_ACCEPTING, broken_answer
from imagegate.local.upstreams.gigachat.requests import MODELS, Chat, read_chat
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream

TOKEN_SECONDS = 30 * 60
SCOPES = {"GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP"}
REFUSAL = "Не люблю менять тему разговора, но вот сейчас тот самый случай."
WORDS = "Я языковая модель и отвечаю словами."


class GigaChatStandIn:
    """The service; `app()` is what gets mounted."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.tokens: Recent[float] = Recent()
        """Token to the end of its life, in Unix time."""
        self.files: Recent[PictureSpec] = Recent()

    def app(self) -> Starlette:
        """The routes."""
        routes = [
            Route("/api/v2/oauth", self.authorize, methods=["POST"]),
            Route("/api/v1/models", self.list_models),
            Route("/api/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/api/v1/files/{id}/content", self.read_file),
        ]
        return Starlette(
            routes=routes,
            exception_handlers={HTTPException: describe_http_error, DirectiveError: describe_directive_error},
        )

    async def authorize(self, request: Request) -> Response:
        """`POST /api/v2/oauth`: a token for half an hour."""
        require_key(request, schemes=("basic",))
        try:
            uuid.UUID(request.headers.get("rquid", ""))
        except ValueError:
            raise HTTPException(400, "RqUID is missing or no UUID") from None
        form = await request.form()
        if form.get("scope") not in SCOPES:
            raise HTTPException(400, "scope is empty or unknown")
        token = secrets.token_urlsafe(24)
        ends = self.tokens.put(token, time.time() + TOKEN_SECONDS)
        return JSONResponse({"access_token": token, "expires_at": int(ends * 1000)})

    async def list_models(self, request: Request) -> Response:
        """`GET /models`."""
        self.require_token(request)
        data = [{"id": name, "object": "model", "owned_by": "stand-in"} for name in MODELS]
        return JSONResponse({"object": "list", "data": data})

    async def chat(self, request: Request) -> Response:
        """`POST /chat/completions`: held until the picture is drawn."""
        token = self.require_token(request)
        chat = read_chat(await read_json(request))
        if chat.picture is None:
            return answer(chat, WORDS)
        fault = self.upstream.fault(chat.prompt, chat.picture.directives, "submit")
        if fault in BEFORE_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, error_body)
        if fault == "expired-token":
            raise self.expired(token)
        if fault == "quota":
            raise HTTPException(402, "Payment Required")
        if fault == "refuse":
            return answer(chat, REFUSAL, "blacklist")
        self.upstream.record(chat.prompt, chat.picture.seed, request)
        return await self.finish(request, chat, chat.picture, fault)

    async def finish(self, request: Request, chat: Chat, picture: PictureSpec, fault: str | None) -> Response:
        """Wait for as long as drawing is said to take, and answer."""
        if fault != "accepted-then-hang":
            await asyncio.sleep(self.upstream.delay(picture.directives))
        if fault in AFTER_ACCEPTING:
            return await broken_answer(fault, request, self.upstream.timing, error_body)
        if fault == "error":
            raise HTTPException(500, "Internal Server Error")
        if fault in ("refuse-late", "no-image"):
            return answer(chat, REFUSAL, "blacklist") if fault == "refuse-late" else answer(chat, WORDS)
        file = str(uuid.uuid4())
        self.files.put(file, replace(picture, fault=fault))
        return answer(chat, f'<img src="{file}" fuse="true"/> Вот что получилось.')

    async def read_file(self, request: Request) -> Response:
        """`GET /files/{id}/content`: the JPEG, for a request with a token."""
        token = self.require_token(request)
        picture = self.files.get(request.path_params["id"])
        if picture is None:
            raise HTTPException(404, "No such file")
        if self.upstream.fault(picture.prompt, picture.directives, "read") == "expired-token":
            raise self.expired(token)
        return await serve_picture(picture, request, self.upstream)

    def require_token(self, request: Request) -> str:
        """The token shown. Raises HTTPException(401) when there is none, or its time is over."""
        token = require_key(request)
        if (self.tokens.get(token) or 0.0) <= time.time():
            raise HTTPException(401, "Token has expired")
        return token

    def expired(self, token: str) -> HTTPException:
        """The refusal of a token that was good until now."""
        self.tokens.put(token, 0.0)
        return HTTPException(401, "Token has expired")


async def read_json(request: Request) -> Any:
    """The body's JSON."""
    try:
        return await request.json()
    except ValueError:
        raise HTTPException(400, "Bad request: the body is not JSON") from None


def answer(chat: Chat, text: str, finish_reason: str = "stop") -> Response:
    """The model's answer."""
    counts = {"prompt_tokens": len(chat.prompt.split()) + 20, "completion_tokens": 60, "precached_prompt_tokens": 0}
    usage = {**counts, "total_tokens": counts["prompt_tokens"] + counts["completion_tokens"]}
    message = {"role": "assistant", "content": text}
    choice = {"message": message, "index": 0, "finish_reason": finish_reason}
    body = {"choices": [choice], "created": int(time.time()), "model": chat.model}
    return JSONResponse({**body, "object": "chat.completion", "usage": usage})


def error_body(status: int, text: str) -> Response:
    """An error answer."""
    return JSONResponse({"status": status, "message": text}, status)


async def describe_http_error(request: Request, error: Exception) -> Response:
    """What a handler refuses."""
    assert isinstance(error, HTTPException)
    return error_body(error.status_code, error.detail)


async def describe_directive_error(request: Request, error: Exception) -> Response:
    """A directive that is not known here."""
    return error_body(400, str(error))
