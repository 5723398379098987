"""Requests to AWS services carry the signature that AWS's own client would give them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
from botocore import auth
from botocore.config import Config

from imagegate.adapters import aws_signature
from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.ports.upstreams import AwsService, HttpRequest

HOST = "bedrock-runtime.us-west-2.amazonaws.com"
MODEL = "stability.stable-image-core-v1:1"
BODY = json.dumps({"prompt": "a fox"}, separators=(",", ":")).encode()
BEDROCK = AwsService("bedrock", "us-west-2")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token-0123456789")
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW)
    aws_signature._credentials.cache_clear()
    yield
    aws_signature._credentials.cache_clear()


def sent_by_boto3() -> Any:
    """The headers and address of the same call by AWS's own client."""
    client = boto3.client("bedrock-runtime", "us-west-2", config=Config(retries={"total_max_attempts": 1}))
    sent: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        sent.append(request)
        raise InterruptedError

    client.meta.events.register("before-send.bedrock-runtime.InvokeModel", stop)
    with pytest.raises(InterruptedError):
        client.invoke_model(modelId=MODEL, body=BODY, contentType="application/json", accept="application/json")
    return sent[0]


def sent_by_us(**changes: Any) -> httpx.Request:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    headers = {"accept": "application/json"}
    url = f"https://{HOST}/model/{MODEL.replace(':', '%3A')}/invoke"
    upstream = HttpUpstream(httpx.MockTransport(answer))
    upstream.send(
        HttpRequest(method="POST", url=url, headers=headers, json={"prompt": "a fox"}, aws_service=BEDROCK, **changes)
    )
    return sent[0]


def test_the_signature_is_the_one_of_awss_own_client() -> None:
    theirs, ours = sent_by_boto3(), sent_by_us()
    assert (str(ours.url), ours.read()) == (theirs.url, BODY)
    wanted = {name.lower(): str(value, "ascii") for name, value in theirs.headers.items() if isinstance(value, bytes)}
    for name in ("x-amz-date", "x-amz-security-token", "authorization"):
        assert ours.headers[name] == wanted[name]


def test_without_credentials_the_failure_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_signature, "get_session", lambda: SimpleNamespace(get_credentials=lambda: None))
    with pytest.raises(UpstreamError, match="no AWS credentials") as caught:
        sent_by_us()
    assert caught.value.failure.code is FailureCode.AUTH
