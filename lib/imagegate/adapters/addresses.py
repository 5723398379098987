"""Which network addresses may be contacted when they come from elsewhere (docs/protocols/providers.md#addresses)."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

Resolver = Callable[[str, int], list[str]]
"""Every address of a host, for a port. Raises OSError when it has none."""
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is in use on the public internet."""

_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4",
            "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        ),
    )
)  # fmt: skip


def is_public(address: str) -> bool:
    """True when the IP address (text) is on the public internet.

    `is_global` alone lets multicast, 6to4, NAT64 and IPv4-compatible forms of private addresses through.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if not parsed.ipv4_mapped:
            return parsed in _GLOBAL_UNICAST and parsed.is_global and not _is_refused(parsed)
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not _is_refused(parsed)


def _is_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _REFUSED if network.version == address.version)


def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`. Raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def resolve_within(seconds: float, host: str, port: int, resolver: Resolver = resolve) -> list[str]:
    """Every address of `host`. Raises OSError when it has none, TimeoutError (an OSError) when that takes too long."""
    found: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found.put(resolver(host, port))
        except (OSError, UnicodeError) as error:
            found.put(OSError(*error.args))

    # getaddrinfo knows no timeout.
    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"the name of {host} was not resolved in {seconds} s") from None
    if isinstance(answer, OSError):
        raise answer
    if not answer:
        raise OSError(f"{host} has no address")
    return answer


class NotAllowed(Exception):
    """A host has an address that may not be contacted."""


def vetted_addresses(
    host: str,
    port: int,
    seconds: float,
    resolver: Resolver = resolve,
    is_allowed: Callable[[str], bool] = is_public,
) -> list[str]:
    """The addresses that may be connected to, the best first; the caller connects to them and does not resolve again.

    A name that leads elsewhere a moment later (DNS rebinding) is thereby no way round. `seconds`: that resolving may
    take. Raises NotAllowed unless every address is allowed, OSError when there is none.
    """
    found = resolve_within(seconds, host, port, resolver)
    if not all(map(is_allowed, found)):
        raise NotAllowed(host)
    # A Lambda function outside a VPC has no way out by IPv6.
    return sorted(dict.fromkeys(found), key=lambda address: ":" in address)
