"""Who makes a request, and whether it may. The only place that looks at credentials."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.rate import Allowance
from imagegate.domain.errors import RequestError, Unauthenticated, WebhookRefused
from imagegate.domain.wait_pass import WaitPass
from imagegate.domain.webhooks.webhook import SIGNATURE_HEADER, USER_AGENT
from imagegate.usecases.start import GenerationRequest, Started
from imagegate.usecases.start_from_pictures import StartFromPictures
from imagegate.web import docs_page, middleware, responses
from imagegate.web.decoding import check_target
from imagegate.web.http import to_response
from imagegate.web.middleware import request_id_of
from imagegate.web.services import Services

OPEN_PATHS = frozenset({"/openapi.json", *docs_page.PATHS})
"""What describes the API; it neither spends nor shows anything. Every other path, known or not, needs a principal."""
_SCHEMES = ("bearer", "api-key")


class Access:
    """ASGI middleware that lets nobody pass without a principal, so that no route can forget to ask for one."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its principal, or refuse it in the words of the dialect it came in."""
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            state = scope.setdefault("state", {})
            try:
                _refuse_own_webhooks(Headers(scope=scope))
                principal = state["principal"] = self._principal(scope)
                check_target(scope)
                if allowance := self._take_request(principal):
                    send = middleware.with_rate_limit_headers(send, allowance)
                    middleware.enforce_rate_limit(allowance)
            except RequestError as error:
                answer = responses.render_refusal(responses.dialect_of(scope), error, request_id_of(scope))
                await to_response(answer)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _principal(self, scope: Scope) -> Principal:
        """Whoever holds a signed link, or else a key. Raises Unauthenticated."""
        if b"token=" in scope["query_string"]:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            if waiting := self._services.hop_links.opened(scope["path"], query):
                waiting = scope["state"]["waiting"] = self._renewed(scope, waiting)
                return Principal(waiting.key.owner)
            if owner := self._services.links.verify(scope["path"], query.get("token", "")):
                return Principal(owner)
        principal = self._services.authenticate(credential_in(Headers(scope=scope)))
        if principal.key:
            scope["state"]["waiting"] = WaitPass.begin(principal.key, self._services.clock.now())
        return principal

    def _renewed(self, scope: Scope, waiting: WaitPass) -> WaitPass:
        """The pass of a link, for ten minutes more if the request shows a key of the same owner as well."""
        try:
            key = self._services.authenticate(credential_in(Headers(scope=scope))).key
        except Unauthenticated:
            return waiting
        same = key and key.owner == waiting.key.owner
        return waiting.renewed(key, self._services.clock.now()) if key and same else waiting

    def _take_request(self, principal: Principal) -> Allowance | None:
        """One of the requests that the key may make in a minute; a hop of waiting shows a link, no key, and is free."""
        per_minute = principal.key.limits.requests_per_minute if principal.key else None
        return self._services.request_rate.take(principal.key.id, per_minute) if principal.key and per_minute else None


def _refuse_own_webhooks(headers: Headers) -> None:
    """Raises WebhookRefused for one of imagegate's own webhooks: by its URL it would cancel or retry operations."""
    if headers.get("user-agent") == USER_AGENT or SIGNATURE_HEADER in headers:
        raise WebhookRefused(
            "This is a webhook of imagegate, which takes none itself.", remedy="Give the webhook another URL."
        )


def credential_in(headers: Headers) -> str | None:
    """The credential in the headers: after a scheme that we know, or else in `x-api-key`."""
    scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() in _SCHEMES:
        return credential.strip()
    return headers.get("x-api-key", "").strip() or None


def principal_of(request: Request) -> Principal:
    """Who makes the request."""
    principal: Principal = request.scope["state"]["principal"]
    return principal


def waiting_of(request: Request) -> WaitPass | None:
    """The request's right to wait; `None` where no key is asked for."""
    waiting: WaitPass | None = request.scope["state"].get("waiting")
    return waiting


def owner_of(request: Request) -> str:
    """Whose operations the request may see."""
    return principal_of(request).owner


def start_for(
    request: Request, services: Services, generation: GenerationRequest, bodies: Mapping[str, bytes] | None = None
) -> Started:
    """Start what the request asks for; `bodies`: of the pictures that it brings.

    Raises Forbidden or RateLimited when its key is not for that, or not now.
    """
    require_model(request, services, generation)
    principal = principal_of(request)
    generation = services.resolve_webhook(generation, principal)
    if bodies:
        return StartFromPictures(services.start, services.images)(generation, bodies, principal.owner, principal.key)
    return services.start(generation, principal.owner, principal.key)


def require_model(request: Request, services: Services, generation: GenerationRequest) -> None:
    """Raises Forbidden unless the request's key is for the model, by whichever name it was asked for."""
    principal_of(request).require(services.routes.resolve(generation.request).model)
