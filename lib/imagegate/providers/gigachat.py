"""Sber's GigaChat: a chat model that draws when asked to, and keeps the picture as a file.

Contract: docs/protocols/gigachat.md. A token is fetched first and kept for the process. The chat's answer names the
files; each is then read with the token. A file that cannot be read at once becomes a ticket: the picture is paid for.
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Submission, Ticket
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.config import Url
from imagegate.providers.credentials import fill_in
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import counts_of, object_of

KEY = "{GIGACHAT_CREDENTIALS}"
CA_BUNDLE = "GIGACHAT_CA_BUNDLE"
REFRESH_EARLY = 60.0
"""Seconds before its end at which a token is replaced."""
TOKEN_SECONDS = 30 * 60.0
"""How long a token lives that does not say so (docs/protocols/gigachat.md#token)."""
GENERATION_SECONDS = 180.0
ROLE = "Ты — художник. На каждую просьбу отвечай рисунком."
COMMAND = "Нарисуй: "
"""Without either, the model may answer in words (docs/protocols/gigachat.md#drawing)."""

_IMAGE = re.compile(r'<img\b[^<>]*\bsrc="([A-Za-z0-9_-]{1,128})"')
_MAYBE_NOTHING = frozenset({FailureCode.UPSTREAM_TIMEOUT, FailureCode.UPSTREAM_FAILED})


@dataclass(frozen=True, slots=True)
class GigaChatConfig:
    """What [providers.NAME] says of one GigaChat."""

    auth_url: Url = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth"
    """Where its access tokens come from."""
    scope: str = "GIGACHAT_API_PERS"
    """`GIGACHAT_API_PERS`, `_B2B` or `_CORP`, as the key was issued for."""

    @property
    def limits(self) -> Limits:
        """Neither size nor seed is for the caller to choose."""
        return Limits(
            completion=CompletionMode.SYNC,
            grid=Grid(minimum=1024, maximum=1024, step=1024),
            prompt_characters=4000,
            submit_seconds=2 * GENERATION_SECONDS,
            retention_seconds=3600.0,
            expected_seconds=20.0,
        )


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is used (seconds since the epoch)."""

    value: str
    until: float


@dataclass(frozen=True, slots=True)
class DrawnFiles:
    """What the chat answered: the files' ids, and the tokens it took."""

    files: tuple[str, ...]
    usage: Usage | None


class GigaChat:
    """The service; one instance serves the process, and so does its token."""

    config_type = GigaChatConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: GigaChatConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config
        self._token = Token("", 0.0)

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Have it drawn, and read the file; a ticket when that fails, since the picture has been made."""
        body = build_body(upstream_request)
        drawing = parse_chat(self.name, self._send("POST", "/chat/completions", body, GENERATION_SECONDS))
        try:
            return Ready(bodies=self._read(drawing.files), usage=drawing.usage)
        except UpstreamError:
            return Ticket({"files": list(drawing.files)})

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Read the files that a ticket names; they are gone when the service does not know them."""
        try:
            return Ready(bodies=self._read(tuple(ticket.data["files"])))
        except UpstreamError as error:
            if error.failure.code is not FailureCode.NOT_FOUND:
                raise
            return Failed(Failure(FailureCode.EXPIRED, f"{self.name} no longer has the picture."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: a picture with a ticket has been made."""

    def _read(self, files: tuple[str, ...]) -> tuple[bytes, ...]:
        return tuple(parse_file(self.name, self._send("GET", f"/files/{file}/content")) for file in files)

    def _send(self, method: str, path: str, body: Any = None, timeout: float = 60.0) -> HttpResponse:
        """The answer; a token that is not taken is renewed, once: its request was refused, so nothing was begun."""
        fresh = self._token.until <= time.time()
        response = self._send_with(self._usable_token(), method, path, body, timeout)
        if response.status != 401:
            return response
        self._token = Token("", 0.0)
        return response if fresh else self._send_with(self._usable_token(), method, path, body, timeout)

    def _send_with(self, token: str, method: str, path: str, body: Any, timeout: float) -> HttpResponse:
        accept = "application/json" if body else "application/jpg"
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        url = f"{self.base_url}{path}"
        return self._http.send(
            HttpRequest(
                method=method, url=url, headers=headers, json=body, timeout=timeout, ca_bundle=self._ca_bundle()
            )
        )

    def _usable_token(self) -> str:
        if self._token.until <= time.time():
            self._token = self._new_token()
        return self._token.value

    def _new_token(self) -> Token:
        """Raises UpstreamError; with `capacity` where the request for pictures was never made."""
        key = fill_in(self.name, self._secrets, KEY)
        request = replace(build_token_request(self._config, key), ca_bundle=self._ca_bundle())
        try:
            return parse_token(self.name, self._http.send(request), time.time())
        except UpstreamError as error:
            if error.failure.code not in _MAYBE_NOTHING:
                raise
            raise UpstreamError(replace(error.failure, code=FailureCode.CAPACITY)) from error

    def _ca_bundle(self) -> str:
        return self._secrets.get(CA_BUNDLE) or ""


def build_token_request(config: GigaChatConfig, key: str) -> HttpRequest:
    """The request for a token (docs/protocols/gigachat.md#token)."""
    headers = {"authorization": f"Basic {key}", "rquid": str(uuid.uuid4()), "accept": "application/json"}
    return HttpRequest(
        method="POST", url=config.auth_url, headers=headers, form={"scope": config.scope}, idempotent=True
    )


def parse_token(name: str, response: HttpResponse, now: float) -> Token:
    """The token; `now` in seconds since the epoch. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        error = http_error(name, response, _message(response, document))
        # A malformed key is a 400, and no fault of the caller's.
        code = FailureCode.AUTH if response.status in (400, 422) else error.failure.code
        raise UpstreamError(replace(error.failure, code=code))
    value, until = document.get("access_token") or document.get("tok"), document.get("expires_at", document.get("exp"))
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise bad_payload(name, "without a token")
    ends = until / 1000 if isinstance(until, int | float) else now + TOKEN_SECONDS
    return Token(value, max(ends - REFRESH_EARLY, now))


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The chat that makes it draw (docs/protocols/gigachat.md#drawing)."""
    messages = [
        {"role": "system", "content": ROLE},
        {"role": "user", "content": f"{COMMAND}{upstream_request.request.prompt}"},
    ]
    return {"model": upstream_request.model, "messages": messages, "function_call": "auto"}


def parse_chat(name: str, response: HttpResponse) -> DrawnFiles:
    """The files that were drawn. Raises UpstreamError for a refusal, for words instead, and for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        raise http_error(name, response, _message(response, document))
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    message = choice.get("message")
    text = str(message.get("content") or "") if isinstance(message, Mapping) else ""
    files = tuple(dict.fromkeys(_IMAGE.findall(text)))
    if files:
        return DrawnFiles(files, _usage(document))
    if choice.get("finish_reason") == "blacklist":
        raise UpstreamError(Failure(FailureCode.CONTENT_FILTERED, f"{name}: {strip_html(text) or 'refused.'}"))
    raise bad_payload(name, f"in words instead of a picture: {strip_html(text)}" if text else "without a picture")


def parse_file(name: str, response: HttpResponse) -> bytes:
    """The picture's bytes. Raises UpstreamError for any other answer."""
    if response.status != 200:
        raise http_error(name, response, _message(response, object_of(response.body)))
    if response.headers.get("content-type", "").startswith("text/html"):
        raise bad_payload(name, "a page in place of the picture")
    return response.body


def _usage(document: Mapping[str, Any]) -> Usage | None:
    taken, made, total = counts_of(document.get("usage"), "prompt_tokens", "completion_tokens", "total_tokens")
    return Usage(input_tokens=taken, output_tokens=made, total_tokens=total) if taken or made or total else None


def _message(response: HttpResponse, document: Mapping[str, Any]) -> str:
    return str(document.get("message") or response.body.decode("utf-8", "replace"))
