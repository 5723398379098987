"""Which network addresses may be contacted on somebody else's word (reference/providers.md §5)."""

import ipaddress
import socket

_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4",
            "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
            "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8",
        ),
    )
)  # fmt: skip


def is_public(address: str) -> bool:
    """True when the IP address (text) is on the public internet.

    `is_global` alone lets multicast, 6to4 and NAT64 forms of private addresses through.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not any(parsed in network for network in _REFUSED if network.version == parsed.version)


def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`. Raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
