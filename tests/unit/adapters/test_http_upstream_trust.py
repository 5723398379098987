"""Whose certificates are believed: the usual authorities', and those that a request brings along."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpRequest
from support.bare_server import answering, certificate, says

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    one = HttpUpstream()
    yield one
    for each in one._trusting.values():
        each.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL of a server with a certificate of its own, and that certificate as PEM."""
    context, _ = certificate(tmp_path, "127.0.0.1")
    pem = (tmp_path / "server.pem").read_text().partition("-----BEGIN CERTIFICATE-----")
    with answering(says(ANSWER), context) as (port, _):
        yield f"https://127.0.0.1:{port}/", f"{pem[1]}{pem[2]}"


def test_an_authority_that_came_along_is_believed(http: HttpUpstream, server: tuple[str, str]) -> None:
    url, pem = server
    assert http.send(HttpRequest(method="GET", url=url, ca_bundle=f"# Корневой сертификат\n{pem}")).body == b"ok"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_other_is_for_the_deployment_to_set_right(http: HttpUpstream, server: tuple[str, str], method: str) -> None:
    url, pem = server
    http.send(HttpRequest(method="GET", url=url, ca_bundle=pem))
    with pytest.raises(UpstreamError, match="certificate is not trusted") as refused:
        http.send(HttpRequest(method=method, url=url))
    assert refused.value.failure.code is FailureCode.AUTH


@pytest.mark.parametrize("bundle", ["none", "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----", "ё"])
def test_a_bundle_that_is_none_is_named(http: HttpUpstream, server: tuple[str, str], bundle: str) -> None:
    with pytest.raises(UpstreamError, match="the CA bundle") as refused:
        http.send(HttpRequest(method="POST", url=server[0], ca_bundle=bundle))
    assert refused.value.failure.code is FailureCode.AUTH
