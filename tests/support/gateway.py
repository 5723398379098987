"""The HTTP front on fakes, called with real API Gateway events, as production calls it."""

import asyncio
import atexit
import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.domain.access.api_key import ApiKey, issue
from imagegate.domain.request.route import Routes
from imagegate.usecases.authenticate import Authenticate, everybody
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.delete import Delete
from imagegate.usecases.estimate import Estimate
from imagegate.usecases.links import HopLinks, Links, PictureLinks
from imagegate.usecases.read import Read
from imagegate.usecases.redeliver import Redeliver
from imagegate.usecases.retry import Retry
from imagegate.usecases.start import Start
from imagegate.usecases.update import UpdateWithRetry
from imagegate.usecases.webhook_choice import ResolveWebhook
from imagegate.web.app import create_app
from imagegate.web.lambda_handler import lambda_handler
from imagegate.web.services import Services
from support.fakes import (
    FakeClock,
    MemoryApiKeys,
    MemoryDeliveries,
    MemoryImages,
    MemoryLatencies,
    MemoryRequestRate,
    MemoryStore,
    MemoryWorkflow,
    routes,
)

WEBHOOK_KEY = bytes(range(32))
_LOOP = asyncio.new_event_loop()
"""Mangum runs on the thread's event loop and makes one when there is none. This one is kept, and closed at the end:
after somebody's `asyncio.run` the one before would be lost unclosed, and warn in the middle of another test."""
atexit.register(_LOOP.close)


@dataclass
class Answered:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Gateway:
    """API Gateway, Mangum and the application, with everything behind them in memory."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    images: MemoryImages = field(default_factory=MemoryImages)
    workflow: MemoryWorkflow = field(default_factory=MemoryWorkflow)
    latencies: MemoryLatencies = field(default_factory=MemoryLatencies)
    routes: Routes = field(default_factory=lambda: routes("alpha", "beta"))
    hold_seconds: float = 25
    presign_seconds: int = 3600
    access: str = "open"
    """As the template's parameter: `open` or `keys`."""
    keys: MemoryApiKeys = field(default_factory=MemoryApiKeys)
    redirects: bool = True
    """False at the long-hold address."""
    starts_within: float = math.inf
    cors_origins: tuple[str, ...] = ()
    expands: bool = True
    """Whether a language model is set up."""
    deliveries: MemoryDeliveries = field(init=False)
    queued_redeliveries: list[tuple[str, int]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=lambda: ["93.184.216.34"])
    """Of every host that a webhook may be on."""

    def __post_init__(self) -> None:
        self.deliveries = MemoryDeliveries(self.clock)
        update_with_retry = UpdateWithRetry(self.store, self.clock)
        closed = self.access == "keys"
        authenticate = Authenticate(self.keys, self.clock, 60)
        links = Links((lambda: b"signing secret") if closed else None, self.clock)
        self.services = Services(
            authenticate=authenticate if closed else everybody,
            request_rate=MemoryRequestRate(self.clock),
            usage_ledger=self.store,
            links=links,
            hop_links=HopLinks(links, authenticate.active_key),
            picture_link=PictureLinks(links, 7),
            resolve_webhook=ResolveWebhook(
                WebhookTargets(
                    lambda host, port: ["127.0.0.1"] if host == "127.0.0.1" else self.addresses,
                    own=["https://images.example.com", "https://api.invalid"],
                ),
                lambda: WEBHOOK_KEY,
            ),
            start=Start(self.store, self.workflow, self.routes, self.clock, 900, self.expands),
            read=Read(self.store, self.clock, 30),
            cancel=Cancel(update_with_retry, self.workflow, self.clock),
            retry=Retry(update_with_retry, self.workflow, self.routes, self.clock),
            delete=Delete(self.store, self.images, self.deliveries),
            redeliver=Redeliver(
                self.deliveries, self.deliveries, lambda *which: self.queued_redeliveries.append(which)
            ),
            deliveries=self.deliveries,
            disabled_webhooks=self.deliveries,
            estimate=Estimate(self.routes, self.latencies, self.expands),
            images=self.images,
            routes=self.routes,
            clock=self.clock,
            listing=self.store,
            claims=self.store,
            latencies=self.latencies,
            presign_seconds=self.presign_seconds,
            yandexart_days=3,
            hold_seconds=self.hold_seconds,
            redirects=self.redirects,
            starts_within=self.starts_within,
            cors_origins=self.cors_origins,
        )
        self.app = create_app(self.services)
        asyncio.set_event_loop(_LOOP)
        self.handler = lambda_handler(self.app)

    def key(self, **changes: Any) -> tuple[ApiKey, str]:
        """A new key, and what its holder presents."""
        key, text = issue("test", self.clock.now(), **changes)
        self.keys.put(key)
        return key, text

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answered:
        """One request; a `body` that is no bytes goes out as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.handle(event(method, url, content, named))

    def handle(self, event: dict[str, Any]) -> Answered:
        """One event of API Gateway."""
        asyncio.set_event_loop(_LOOP)
        answer = self.handler(event, None)
        text = answer["body"]
        if answer.get("isBase64Encoded"):
            text = base64.b64decode(text).decode(errors="replace")  # a picture is no text, and need not be
        return Answered(answer["statusCode"], answer["headers"], text)


def event(method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """What an HTTP API (payload format 2.0) hands to its Lambda function."""
    parts = urlsplit(url)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"host": "api.invalid", **headers},
        "requestContext": {
            "requestId": "request-1",
            "stage": "$default",
            "http": {"method": method, "path": parts.path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
