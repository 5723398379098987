"""The fault campaign's proxies do to requests what their fates say, with botocore as the client."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from benchmarks.fault_proxies import aws_action, aws_answer
from benchmarks.faulty_proxy import Fate, FaultyProxy

pytestmark = pytest.mark.slow

BODY = json.dumps({"Parameter": {"Name": "a", "Value": "x" * 5000}}).encode()


class Server(BaseHTTPRequestHandler):
    """An SSM that counts what it does."""

    done = 0

    def do_POST(self) -> None:
        """Answer GetParameter."""
        self.rfile.read(int(self.headers["content-length"]))
        type(self).done += 1
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Server.done = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.mark.parametrize(
    ("fate", "error", "done"),
    [
        (Fate.PASSED, None, 1),
        (Fate.REFUSED, HTTPClientError, 0),
        (Fate.LOST, HTTPClientError, 1),
        (Fate.DELAYED, None, 1),
        (Fate.TRUNCATED, HTTPClientError, 1),
        (Fate.DOUBLED, None, 2),
        (Fate.THROTTLED, "ThrottlingException", 0),
        (Fate.BROKEN, "InternalServerError", None),
    ],
)
def test_a_request_has_its_fate(server: ThreadingHTTPServer, fate: Fate, error: Any, done: int | None) -> None:
    shares = {} if fate is Fate.PASSED else {fate: 1.0}
    with FaultyProxy(1, shares, aws_action, aws_answer, 0.3) as proxy:
        proxy.lead_to(server.server_port)
        client = boto3.client(
            "ssm", endpoint_url=proxy.url, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s",
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        if error is None:
            assert len(client.get_parameter(Name="a")["Parameter"]["Value"]) == 5000
        elif isinstance(error, str):
            with pytest.raises(ClientError) as refused:
                client.get_parameter(Name="a")
            assert refused.value.response["Error"]["Code"] == error
        else:
            with pytest.raises(error):
                client.get_parameter(Name="a")
        assert proxy.counts == {("ssm GetParameter", fate): 1}
    assert done is None or Server.done == done
