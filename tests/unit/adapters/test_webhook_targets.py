"""Where webhooks may not be sent to: every class of address, every trick with a URL.

Contract: docs/protocols/providers.md#addresses.
"""

import threading
from collections.abc import Iterator

import pytest

from imagegate.adapters.webhook_targets import LONGEST_URL, WebhookTargets
from imagegate.domain.errors import WebhookRefused

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "2a02:6b8::2:242"]
PRIVATE = {
    "this network": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "shared (CGNAT)": ["100.64.0.1", "100.127.255.255"],
    "link-local": ["169.254.169.254", "169.254.170.2", "fe80::1", "febf::1"],
    "site-local": ["fec0::1"],
    "protocol assignments": ["192.0.0.8", "192.0.0.170", "2001::1", "2001:1ff::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "6to4 relay and 6to4": ["192.88.99.1", "2002:7f00:1::", "2002:0808:0808::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved and broadcast": ["240.0.0.1", "255.255.255.255", "4000::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:224.0.0.1"],
    "compatible and translated": ["::7f00:1", "::127.0.0.1", "::ffff:0:7f00:1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"],
    "discard-only": ["100::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "segment routing": ["5f00::1"],
}
EVERY_PRIVATE = [address for addresses in PRIVATE.values() for address in addresses]


def targets(*addresses: str, loopback: bool = False) -> WebhookTargets:
    return WebhookTargets(lambda host, port: list(addresses), loopback=loopback)


def literal(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_hosts_pass(address: str) -> None:
    targets(address).check("https://hooks.example.com/a/b?c=d")
    targets(address).check(literal(address))
    assert targets(address).address("hooks.example.com", 443) == address


@pytest.mark.parametrize("address", EVERY_PRIVATE)
def test_hosts_off_the_internet_are_refused_by_name_and_by_number(address: str) -> None:
    for url in ("https://hooks.example.com/", literal(address)):
        with pytest.raises(WebhookRefused) as refused:
            targets(address).check(url)
        assert refused.value.param == "webhook.url"
        assert refused.value.remedy
    with pytest.raises(WebhookRefused):
        targets(address).address("hooks.example.com", 443)


@pytest.mark.parametrize("address", EVERY_PRIVATE)
def test_one_private_address_among_public_ones_is_enough(address: str) -> None:
    for found in ([*PUBLIC, address], [address, *PUBLIC]):
        with pytest.raises(WebhookRefused):
            targets(*found).address("hooks.example.com", 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "HTTP://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "//hooks.example.com/",
        "hooks.example.com",
        "",
        "https://",
        "https:///hook",
        "https://?x",
        "https://user@hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://@hooks.example.com/",
        "https://:@hooks.example.com/",
        "https://127.0.0.1\\@hooks.example.com/",
        "https://hooks.example.com\\.evil/",
        "https://hooks.example.com /",
        "https://hooks.example.com/\r\nX: y",
        "https://hooks.exa\tmple.com/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:x/",
        "https://2130706433/",
        "https://134744072/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://8.8.8.08/",
        "https://8.8.8.8./",
        "https://1.2.3.4.5/",
        "https://hooks.example.0x1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[v1.fe80::a]/",
        "https://[8.8.8.8]/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://hooks.exämple.com/",
        "https://hooks..example.com/",
        "https://-hooks.example.com/",
        "https://hooks.example.com%2f@127.0.0.1/",
        f"https://{'a' * 64}.example.com/",
        f"https://hooks.example.com/{'a' * LONGEST_URL}",
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_urls_of_another_shape_are_refused_whatever_the_host_resolves_to(url: str, loopback: bool) -> None:
    with pytest.raises(WebhookRefused):
        targets("8.8.8.8", loopback=loopback).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://HOOKS.example.com:8443/a%20b?token=%40#part",
        "https://hooks.example.com./",
        "https://xn--hooks-exmple-pcb.com/",
        "https://my_host.example.com/",
        "https://8.8.8.8:444/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]:8443/",
    ],
)
def test_urls_as_people_have_them_pass(url: str) -> None:
    targets("8.8.8.8").check(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_this_machine_is_a_target_only_where_it_is_allowed(host: str) -> None:
    for url in (f"http://{host}:8000/", f"https://{host}/"):
        targets("127.0.0.1", "::1", loopback=True).check(url)
        with pytest.raises(WebhookRefused):
            targets("127.0.0.1", "::1").check(url)
        with pytest.raises(WebhookRefused):
            targets("127.0.0.1", "10.0.0.1", loopback=True).check(url)


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "https://hooks.example.com/", "https://127.0.0.2/"])
def test_being_allowed_this_machine_allows_no_other_name_for_it(url: str) -> None:
    with pytest.raises(WebhookRefused):
        targets("127.0.0.1", loopback=True).check(url)


def test_a_host_that_has_no_address_yet_may_get_one() -> None:
    def unresolvable(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    WebhookTargets(unresolvable).check("https://new.example.com/")
    with pytest.raises(OSError, match="no such host"):
        WebhookTargets(unresolvable).address("new.example.com", 443)


@pytest.mark.parametrize("error", [UnicodeError("label too long"), TimeoutError("slow"), None])
def test_whatever_a_resolver_does_there_is_an_address_or_none(error: Exception | None) -> None:
    def strange(host: str, port: int) -> list[str]:
        if error:
            raise error
        return []

    with pytest.raises(OSError, match=r"label|slow|no address"):
        WebhookTargets(strange).address("hooks.example.com", 443)


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_name_server_that_says_nothing_holds_nobody(released: threading.Event) -> None:
    def silent(host: str, port: int) -> list[str]:
        released.wait()
        return []

    slow = WebhookTargets(silent, resolving=0.05)
    slow.check("https://slow.example.com/")
    with pytest.raises(TimeoutError):
        slow.address("slow.example.com", 443)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/", "hooks.example.com", 443),
        ("https://hooks.example.com:8443/", "hooks.example.com", 8443),
        ("http://localhost/", "localhost", 80),
        ("http://localhost:8000/", "localhost", 8000),
        ("https://localhost/", "localhost", 443),
    ],
)
def test_the_port_is_the_urls_or_that_of_its_scheme(url: str, host: str, port: int) -> None:
    assert targets(loopback=True).parts(url) == (host, port)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://hooks.example.com/\\", "A webhook's URL has 1 to 2000 printable ASCII characters"),
        ("https://[::1/", "The webhook's URL cannot be read."),
        ("http://hooks.example.com/", "A webhook's URL begins with https://."),
        ("https://user@hooks.example.com/", "A webhook's URL carries no user name or password."),
        ("https://hooks..example.com/", "The webhook's URL has no valid host."),
        ("https://127.1/", "The webhook's host is a number; write an IPv4 address as four decimal ones."),
        ("https://hooks.example.com:0/", "The webhook's URL has no valid port."),
        (
            "https://hooks.example.com/",
            "The webhook's host 'hooks.example.com' has an address that is not on the public",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_url(url: str, why: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        targets("10.0.0.1").check(url)
    assert refused.value.message.startswith(why)


@pytest.mark.parametrize("scheme", ["ftp", "file", "ws"])
def test_this_machine_is_sent_to_by_http_only(scheme: str) -> None:
    with pytest.raises(WebhookRefused):
        targets("127.0.0.1", loopback=True).check(f"{scheme}://127.0.0.1/")


OWN = ["https://images.example.com", "https://abc.execute-api.eu-central-1.amazonaws.com", "http://127.0.0.1:1337", ""]


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example.com/v1/operations/x:retry",
        "https://IMAGES.example.com.:8443/",
        "https://abc.execute-api.eu-central-1.amazonaws.com/v1/operations/x:cancel",
        "http://127.0.0.1:1337/v1/operations/x:retry",
        "http://localhost:1337/",
        "http://[::1]:1337/",
        "https://127.0.0.1:1337/",
    ],
)
def test_the_gateway_itself_is_refused_by_each_of_its_names(url: str) -> None:
    own = WebhookTargets(lambda host, port: ["127.0.0.1"], loopback=True, own=OWN)
    with pytest.raises(WebhookRefused, match="not sent to imagegate itself"):
        own.check(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "https://other.example.com/", "https://example.com/"])
def test_beside_the_gateway_there_are_other_hosts(url: str) -> None:
    address = "127.0.0.1" if "127" in url else "93.184.216.34"
    WebhookTargets(lambda host, port: [address], loopback=True, own=OWN).check(url)
