"""Which URLs webhooks may have; checked when a webhook is requested and again when it is sent."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from imagegate.adapters.addresses import NotAllowed, Resolver, is_public, resolve, vetted_addresses
from imagegate.domain.errors import WebhookRefused
from imagegate.domain.webhooks.webhook import LOOPBACK

LONGEST_URL = 2000
_URL = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_RESOLVING = 3.0


class WebhookTargets:
    """Vets URLs by their shape, and hosts by every address they have at that moment."""

    def __init__(
        self,
        resolver: Resolver = resolve,
        *,
        loopback: bool = False,
        own: Collection[str] = (),
        resolving: float = _RESOLVING,
    ) -> None:
        """`loopback`: this machine may be sent to as well, also by plain HTTP. `resolving`: seconds.

        `own`: URLs of the gateway itself, to whose hosts nothing is sent.
        """
        self._own = [_place(urlsplit(url)) for url in own if url]
        self._resolver = resolver
        self._loopback = loopback
        self._resolving = resolving

    def check(self, url: str) -> None:
        """Raises WebhookRefused for a URL that nothing is sent to. A host without an address may get one yet."""
        host, port = self.parts(url)
        try:
            self.address(host, port)
        except OSError:
            return

    def parts(self, url: str) -> tuple[str, int]:
        """Host and port of a URL of the right shape. Raises WebhookRefused."""
        split = _split(url)
        host = split.hostname or ""
        local = self._loopback and host in LOOPBACK
        if split.scheme != "https" and not (local and split.scheme == "http"):
            raise _refused("A webhook's URL begins with https://.")
        if split.username is not None or split.password is not None or "@" in split.netloc:
            raise _refused("A webhook's URL carries no user name or password.")
        _check_host(host)
        port = _port(split)
        if _place(split) in self._own:
            raise _refused("A webhook is not sent to imagegate itself.")
        return host, port

    def address(self, host: str, port: int) -> str:
        """The address to connect to. Raises WebhookRefused unless every one is public, OSError when there is none."""
        local = self._loopback and host in LOOPBACK
        try:
            found = vetted_addresses(host, port, self._resolving, self._resolver, _is_loopback if local else is_public)
        except NotAllowed:
            message = f"The webhook's host '{host}' has an address that is not on the public internet."
            raise _refused(message) from None
        return found[0]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _split(url: str) -> SplitResult:
    if not 1 <= len(url) <= LONGEST_URL or not _URL.fullmatch(url) or "\\" in url:
        raise _refused(f"A webhook's URL has 1 to {LONGEST_URL} printable ASCII characters, no blank, no \\.")
    try:
        return urlsplit(url)
    except ValueError:
        raise _refused("The webhook's URL cannot be read.") from None


def _place(split: SplitResult) -> tuple[str, int]:
    """What answers at a URL: of a machine on the internet its name, whatever the port; of this one each port."""
    name = (split.hostname or "").removesuffix(".")
    return ("", _port(split)) if name in LOOPBACK else (name, 0)


def _check_host(host: str) -> None:
    """Raises WebhookRefused unless it is a name or an address as people write them."""
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise _refused("The webhook's URL has no valid host.") from None
        if "%" in host:
            raise _refused("The webhook's URL has no valid host.")
        return
    bare = host.removesuffix(".")
    if not _HOST.fullmatch(bare):
        raise _refused("The webhook's URL has no valid host.")
    if _NUMBER.fullmatch(bare.rpartition(".")[2]):
        _check_ipv4(host)


def _check_ipv4(host: str) -> None:
    """Raises WebhookRefused for short, octal, decimal and hexadecimal ways to write an address."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        raise _refused("The webhook's host is a number; write an IPv4 address as four decimal ones.") from None


def _port(split: SplitResult) -> int:
    try:
        port = split.port
    except ValueError:
        port = 0
    if port == 0:
        raise _refused("The webhook's URL has no valid port.")
    return port or (443 if split.scheme == "https" else 80)


def _refused(message: str) -> WebhookRefused:
    return WebhookRefused(message, param="webhook.url", remedy="Give an https URL of a public host.")
