"""Where finished pictures may be fetched from, and the one address that each is then fetched from."""

import re
from dataclasses import dataclass

import httpx

from imagegate.adapters.addresses import NotAllowed, resolve, vetted_addresses
from imagegate.adapters.upstream_errors import failed
from imagegate.domain.failure import FailureCode
from imagegate.ports.upstreams import Reach

_RESOLVING = 5.0
"""Seconds."""
_MOST_ADDRESSES = 3
"""Of one host that are tried."""
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_LARGEST_PORT = 65535
_ANY_PICTURE = Reach(private_network=True)


@dataclass(frozen=True, slots=True)
class PictureAddress:
    """Where a picture is."""

    url: str
    addresses: tuple[str, ...] = ()
    """The vetted ones, of which one is connected to; none for the provider's own host, which may be anywhere."""


def vet_picture(reported: str, at: str, trusted_base: str, reach: Reach = _ANY_PICTURE) -> PictureAddress:
    """The URL `reported` in the response from the URL `at`, absolute, if it may be fetched. Raises UpstreamError."""
    try:
        # With the parser of the client that will call it: two of them may read two hosts in one address.
        url, trusted = httpx.URL(at).join(reported), httpx.URL(trusted_base)
    except (httpx.InvalidURL, UnicodeError):
        raise failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture address that is none") from None
    own = (url.scheme, url.netloc) == (trusted.scheme, trusted.netloc)
    listed = url.netloc.decode("ascii") in reach.picture_hosts
    if reach.picture_hosts and not own and not listed:
        raise failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture on a host that is not among its picture_hosts")
    if reach.private_network and (own or listed):
        return PictureAddress(str(url))
    return PictureAddress(str(url), _public_addresses(url, trusted_base))


def vet_upstream(url: httpx.URL) -> str:
    """The address of an upstream that must be on the public internet. Raises UpstreamError."""
    try:
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        return vetted_addresses(host, port, _RESOLVING, resolve)[0]
    except OSError:
        raise failed(FailureCode.CAPACITY, str(url), "no address of its host is known") from None
    except NotAllowed:
        raise failed(FailureCode.AUTH, str(url), "it has a private address; private_network = true allows it") from None


def _public_addresses(url: httpx.URL, trusted_base: str) -> tuple[str, ...]:
    host, port = url.raw_host.decode("ascii"), url.port or 443
    if url.scheme != "https" or not (_NAME.fullmatch(host) or ":" in host) or port > _LARGEST_PORT:
        raise failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture address that is no https address")
    try:
        return tuple(vetted_addresses(host, port, _RESOLVING, resolve)[:_MOST_ADDRESSES])
    except OSError:
        raise failed(FailureCode.UPSTREAM_FAILED, str(url), "a picture host without an address") from None
    except NotAllowed:
        raise failed(FailureCode.BAD_PAYLOAD, trusted_base, "a picture address on a private network") from None


def pin(request: httpx.Request, address: str) -> None:
    """Have the request go to that address. `Host` and TLS keep the name of the host."""
    request.extensions["sni_hostname"] = request.url.raw_host.decode("ascii")
    # A kept connection would be taken for one to any other host that has this address.
    request.headers["connection"] = "close"
    request.url = request.url.copy_with(host=address)
