"""The HTTP API of a deployment on fakes, called with real API Gateway events, as production calls it."""

import asyncio
import atexit
import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from imagegate.adapters.webhook_targets import WebhookTargets
from imagegate.deployment import Deployment
from imagegate.domain.access.api_key import ApiKey, issue
from imagegate.domain.characters import masked
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.routes import Routes
from imagegate.settings import Settings
from imagegate.web.app import create_app
from imagegate.web.lambda_handler import lambda_handler
from support.fakes import (
    FakeClock,
    MemoryApiKeys,
    MemoryDeliveries,
    MemoryImages,
    MemoryLatencies,
    MemoryRequestRate,
    MemorySteps,
    MemoryStore,
    MemoryWorkflow,
    no_aws,
    routes,
)

WEBHOOK_KEY = bytes(range(32))
_LOOP = asyncio.new_event_loop()
"""Mangum runs on the thread's event loop and makes one when there is none. This one is kept, and closed at the end:
after an `asyncio.run` the earlier loop would be lost unclosed, and warn in the middle of another test."""
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
    steps: MemorySteps | None = None
    """`None`: every operation has an execution."""
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
    studio: bool = True
    """Whether `/` is the studio."""
    expands: bool = True
    """Whether a language model is set up."""
    elsewhere: dict[str, bytes] = field(default_factory=dict)
    """Pictures on the internet, by address."""
    deliveries: MemoryDeliveries = field(init=False)
    queued_redeliveries: list[tuple[str, int]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=lambda: ["93.184.216.34"])
    """Of every host that a webhook may be on."""

    def __post_init__(self) -> None:
        self.deliveries = MemoryDeliveries(self.clock)
        self.deployment = Deployment(
            Settings(
                access=self.access,
                hold_seconds=self.hold_seconds,
                presign_seconds=self.presign_seconds,
                long_hold=not self.redirects,
                cors_origins=self.cors_origins,
                studio=self.studio,
                public_url="https://pictures.example.com",
                expander="openai" if self.expands else "none",
            ),
            no_aws,
            clock=self.clock,
            store=self.store,
            claims=self.store,
            listing=self.store,
            usage_ledger=self.store,
            images=self.images,
            workflow=self.workflow,
            steps=self.steps,
            latencies=self.latencies,
            routes=self.routes,
            secret_names=lambda: None,
            limits_of=self._limits_of,
            api_keys=self.keys,
            signing_secret=(lambda: b"signing secret") if self.access == "keys" else None,
            request_rate=MemoryRequestRate(self.clock),
            deliveries=self.deliveries,
            webhook_queue=SimpleNamespace(put=lambda *which: self.queued_redeliveries.append(which)),
            webhook_targets=WebhookTargets(
                lambda host, port: ["127.0.0.1"] if host == "127.0.0.1" else self.addresses,
                own=["https://images.example.com", "https://api.invalid"],
            ),
            webhook_key=lambda: WEBHOOK_KEY,
            input_pictures=self._fetch,
        )
        self.services = replace(self.deployment.services, starts_within=self.starts_within)
        self.app = create_app(self.services)
        asyncio.set_event_loop(_LOOP)
        self.handler = lambda_handler(self.app)

    def _fetch(self, urls: Sequence[str]) -> list[bytes]:
        if missing := [url for url in urls if url not in self.elsewhere]:
            raise InvalidRequest(f"A picture could not be fetched: nothing is at {masked(missing[0])[:100]}.")
        return [self.elsewhere[url] for url in urls]

    def key(self, **changes: Any) -> tuple[ApiKey, str]:
        """A new key, and what its holder presents."""
        key, text = issue("test", self.clock.now(), **changes)
        self.keys.put(key)
        return key, text

    def _limits_of(self, provider: str) -> Limits:
        """Those of the routes' first target at that provider."""
        targets = (target for route in self.routes for target in route.targets)
        return next(target.limits for target in targets if target.provider == provider)

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answered:
        """One request; a `body` that is no bytes goes out as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        # As most clients do; one without a User-Agent is given fewer redirects.
        named = {"user-agent": "a-client/1.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
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
