"""Whether a provider answers and takes its key, found out without buying a picture."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from imagegate.domain.failure import UpstreamError
from imagegate.ports.upstreams import Http, HttpRequest, Reach, Secrets
from imagegate.providers.credentials import authorization, fill_in
from imagegate.providers.registry import RouteTable

_PATHS = {"openai_images": "/models", "gradio_space": "/config", "replicate": "/account"}
"""A free path of each protocol, which needs the key where there is one. Other protocols are asked for their root."""
_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability:
    """What a provider answered."""

    reached: bool
    key: bool | None
    """Whether it took the key; `None`: it was not asked."""
    seconds: float
    detail: str


def check_provider(
    table: RouteTable,
    name: str,
    secrets: Secrets,
    confine: Callable[[Reach], Http],
    base_urls: Mapping[str, str] = MappingProxyType({}),
) -> Reachability:
    """Ask the provider. Raises MisconfiguredError when there is none.

    `confine` makes the Http of a Reach. `base_urls`: URLs that a deployment uses in place of the providers' own.
    """
    entry, keys = table.entry(name), table.document["providers"][name]
    path = _PATHS.get(keys["protocol"])
    reach = entry.reach if name in table.own else Reach(private_network=True)
    began = time.monotonic()
    try:
        headers = _headers(name, entry.config, secrets) if path else {}
        base_url = fill_in(name, secrets, base_urls.get(name, entry.base_url)).rstrip("/")
        request = HttpRequest(method="GET", url=f"{base_url}{path or ''}", headers=headers, timeout=_SECONDS)
        status = confine(reach).send(request).status
    except UpstreamError as error:
        return Reachability(reached=False, key=None, seconds=time.monotonic() - began, detail=error.failure.message)
    seconds = time.monotonic() - began
    return Reachability(reached=True, key=_key_taken(status, headers), seconds=seconds, detail=f"HTTP {status}")


def _headers(name: str, config: Any, secrets: Secrets) -> Mapping[str, str]:
    return authorization(name, secrets, getattr(config, "keys", {}))


def _key_taken(status: int, headers: Mapping[str, str]) -> bool | None:
    if status in (401, 403):
        return False
    return True if headers and status < 300 else None
