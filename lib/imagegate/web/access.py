"""Authenticate requests. No other module reads credentials."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegate.domain.access.api_key import Principal, parse
from imagegate.domain.access.rate import Allowance
from imagegate.domain.access.wait_pass import WaitPass
from imagegate.domain.errors import RequestError, Unauthenticated, WebhookRefused
from imagegate.domain.operation.hook import HOOK_PATH
from imagegate.domain.webhooks.webhook import SIGNATURE_HEADER, USER_AGENT
from imagegate.web import docs_page, health, middleware
from imagegate.web.decoding import check_target
from imagegate.web.errors import render_refusal
from imagegate.web.http import to_response
from imagegate.web.studio.page import is_public
from imagegate.web.wait_services import WaitServices

if TYPE_CHECKING:
    from imagegate.usecases.start import GenerationRequest, Started
    from imagegate.web.services import Services

OPEN_PATHS = frozenset({"/openapi.json", *docs_page.PATHS, *health.PATHS})
"""The API's description, and whether it answers. Every other path requires a principal, but for the studio's and the
hooks of upstreams, whose addresses hold a token."""
_SCHEMES = ("bearer", "api-key", "apikey", "key", "token")
KEY_HEADERS = ("x-api-key", "api-key", "apikey", "x-goog-api-key", "ocp-apim-subscription-key")
"""Headers with nothing but a key: Anthropic's, Azure's, Google's and those of common gateways."""


class Access:
    """ASGI middleware that refuses requests without a principal, so that no route can forget to check."""

    def __init__(self, app: ASGIApp, services: WaitServices) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its principal, or refuse it in its dialect."""
        if scope["type"] == "http" and not self._is_open(scope):
            state = scope.setdefault("state", {})
            try:
                _refuse_own_webhooks(Headers(scope=scope))
                principal = state["principal"] = self._principal(scope)
                check_target(scope)
                if allowance := self._take_request(principal):
                    send = middleware.with_rate_limit_headers(send, allowance)
                    middleware.enforce_rate_limit(allowance)
            except RequestError as error:
                await to_response(render_refusal(scope, error))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path, method = scope["path"], scope["method"]
        return path in OPEN_PATHS or _is_hook(method, path) or (self._services.studio and is_public(method, path))

    def _principal(self, scope: Scope) -> Principal:
        """The owner of a signed link, or else of a key. Raises Unauthenticated."""
        if b"token=" in scope["query_string"]:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            if waiting := self._services.hop_links.verify(scope["path"], query):
                waiting = scope["state"]["waiting"] = self._renewed(scope, waiting)
                return Principal(waiting.key.owner)
            if owner := self._services.links.verify(scope["path"], query.get("token", "")):
                return Principal(owner)
        principal = self._services.authenticate(credential_in(Headers(scope=scope)))
        if principal.key:
            scope["state"]["waiting"] = WaitPass.begin(principal.key, self._services.clock.now())
        return principal

    def _renewed(self, scope: Scope, waiting: WaitPass) -> WaitPass:
        """The pass of a link, ten minutes longer if the request also presents a key of the same owner."""
        try:
            key = self._services.authenticate(credential_in(Headers(scope=scope))).key
        except Unauthenticated:
            return waiting
        same = key and key.owner == waiting.key.owner
        return waiting.renewed(key, self._services.clock.now()) if key and same else waiting

    def _take_request(self, principal: Principal) -> Allowance | None:
        """Take one of the key's requests a minute. A hop of a wait presents a link, not a key, and is free."""
        per_minute = principal.key.limits.requests_per_minute if principal.key else None
        return self._services.request_rate.take(principal.key.id, per_minute) if principal.key and per_minute else None


def _is_hook(method: str, path: str) -> bool:
    """True for the hint of an upstream, which shows a token in place of a key."""
    return method == "POST" and path.startswith(f"{HOOK_PATH}/")


def _refuse_own_webhooks(headers: Headers) -> None:
    """Raises WebhookRefused for a webhook of imagegate itself, which could cancel or retry operations by its URL."""
    if headers.get("user-agent") == USER_AGENT or SIGNATURE_HEADER in headers:
        raise WebhookRefused(
            "imagegate does not receive its own webhooks.",
            remedy="Give the webhook another URL.",
        )


def credential_in(headers: Headers) -> str | None:
    """The first credential that has the form of a key, or else the first of any form."""
    found = [each for each in _credentials(headers) if each]
    return next((each for each in found if parse(each)), found[0] if found else None)


def _credentials(headers: Headers) -> Iterator[str]:
    """The credentials of a request: in `authorization` with a known scheme or none, and in each of KEY_HEADERS."""
    authorization = headers.get("authorization", "").strip()
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() == "basic":
        yield from _basic(credential.strip())
    elif not credential:
        yield authorization if authorization.lower() not in _SCHEMES else ""
    elif scheme.lower() in _SCHEMES:
        yield credential.strip()
    yield from (headers.get(name, "").strip() for name in KEY_HEADERS)


def _basic(encoded: str) -> Iterator[str]:
    """The password and the user name of RFC 7617, one of which is the key."""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return
    yield from (password, user)


def start_for(
    principal: Principal, services: Services, generation: GenerationRequest, bodies: Mapping[str, bytes] | None = None
) -> Started:
    """Start a generation for its caller; `bodies` are those of the pictures that it sends, by their keys.

    Raises Forbidden or RateLimited when the key does not allow it, or not now.
    """
    if bodies:
        from imagegate.usecases.start_from_pictures import StartFromPictures  # here, for few requests have pictures

        return StartFromPictures(services.start, services.images)(generation, bodies, principal)
    return services.start(generation, principal)
