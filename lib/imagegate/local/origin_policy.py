"""Keeps web pages away from the servers on loopback.

A page of any origin can have the browser send requests to 127.0.0.1: simple ones without asking, and all of them when
its own name is made to resolve to 127.0.0.1 (DNS rebinding). Browsers say where a request comes from, in headers that
a page cannot change: `Host`, `Origin` and `Sec-Fetch-Site`. Programs send neither of the last two.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

WRONG_HOST = "The Host header must name this machine: 127.0.0.1, localhost or [::1]."
FOREIGN_PAGE = "Web pages of other origins may not call this server."

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.IGNORECASE)
_OWN_SITES = ("same-origin", "none")
_READS = ("GET", "HEAD")


def nothing(scope: Scope) -> bool:
    """No request may come from a foreign page."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginPolicy:
    """Which requests a server on loopback takes from browsers."""

    origins: frozenset[str] = frozenset()
    """Origins whose pages may call, beside the server's own."""
    hosts: frozenset[str] = frozenset()
    """Host names that the server answers to beside loopback's, without a port, in lower case."""
    subdomains: bool = False
    """Whether names below `localhost` are loopback as well; browsers and resolvers take them for it."""
    idempotent: Callable[[Scope], bool] = nothing
    """Whether a GET or HEAD without Origin may come from any page: it changes nothing, and the page cannot read it."""

    def refusal(self, scope: Scope) -> str | None:
        """Return why the HTTP request is refused; None when it may pass."""
        hosts = header_values(scope, b"host")
        if len(hosts) != 1 or not self.is_own_host(hosts[0]):
            return WRONG_HOST
        if origins := header_values(scope, b"origin"):
            own = {f"{scope['scheme']}://{hosts[0].lower()}", *self.origins}
            return None if all(origin.lower() in own for origin in origins) else FOREIGN_PAGE
        if all(site in _OWN_SITES for site in header_values(scope, b"sec-fetch-site")):
            return None
        return None if scope["method"] in _READS and self.idempotent(scope) else FOREIGN_PAGE

    def is_own_host(self, host: str) -> bool:
        """Whether a Host header's value names this server."""
        matched = _HOST.fullmatch(host)
        if not matched:
            return False
        name = matched[1].lower()
        below = self.subdomains and name.endswith(".localhost")
        return name == "localhost" or name in self.hosts or below or _is_loopback(name.strip("[]"))


class OriginGuard:
    """An ASGI application behind a policy; WebSockets are refused."""

    def __init__(self, app: Any, policy: OriginPolicy) -> None:
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 403."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and (why := self._policy.refusal(scope)):
            await _forbid(send, why)
        else:
            await self._app(scope, receive, send)


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of a header, one for each line of it."""
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


def parse_origins(listed: Iterable[str]) -> frozenset[str]:
    """Return the origins as a policy compares them: in lower case, without blanks."""
    return frozenset(origin.strip().lower() for origin in listed if origin.strip())


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _forbid(send: Send, why: str) -> None:
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
