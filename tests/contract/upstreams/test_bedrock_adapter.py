"""The provider `bedrock` on its stand-in: signed as boto3 signs, and one POST where boto3 sends three."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.credentials import Credentials

from imagegate.adapters.aws_signature import sign
from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS
from imagegate.ports.upstreams import AwsService, Provider
from imagegate.providers import bedrock, registry
from support.fakes import NoSecrets

Submissions = Callable[[], list[dict[str, object]]]
CORE = "stability.stable-image-core-v1:1"


@pytest.fixture
def provider(stand_ins: str, client: object) -> Iterator[Provider]:
    http = HttpUpstream()
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    yield registry.Providers(http, NoSecrets({}), urls)("bedrock")
    http._client.close()


def refused(provider: Provider, prompt: str, model: str = CORE) -> FailureCode:
    with pytest.raises(UpstreamError) as raised:
        provider.submit(UpstreamRequest(request=ImageRequest(model="m", messages=(Message(prompt),)), model=model))
    return raised.value.failure.code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("quota", FailureCode.RATE_LIMITED),
        ("no-subscription", FailureCode.AUTH),
        ("filtered-words", FailureCode.CONTENT_FILTERED),
        ("model-error", FailureCode.UPSTREAM_FAILED),
        ("not-ready", FailureCode.CAPACITY),
    ],
)
def test_each_fault_has_its_code(provider: Provider, fault: str, code: FailureCode) -> None:
    assert refused(provider, f"[fault {fault}] a fox") is code


def test_a_model_at_its_end_of_life_is_not_found(provider: Provider) -> None:
    assert refused(provider, "a fox", "stability.stable-image-core-v1:0") is FailureCode.NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "accepted"), [("http-503", 0), ("http-429", 0), ("hang", 0), ("drop", 1), ("accepted-then-hang", 1)]
)
def test_one_submission_is_one_post(
    monkeypatch: pytest.MonkeyPatch,
    stand_ins: str,
    provider: Provider,
    submissions: Submissions,
    fault: str,
    accepted: int,
) -> None:
    monkeypatch.setattr(bedrock, "TIMEOUT", 0.3)
    refused(provider, f"[fault {fault}] a fox")
    assert len(submissions()) == accepted
    calls = httpx.get(f"{stand_ins}/_standin/calls", params={"prompt": f"[fault {fault}] a fox", "stage": "submit"})
    assert calls.json() == {"count": 1}


def test_a_call_is_signed_as_boto3_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The colon of the model's id is in the path as %3A, and signed as %253A."""
    credentials = Credentials("AKIDEXAMPLE", "secret", "session")
    body, url = json.dumps({"prompt": "a fox"}).encode(), "https://bedrock-runtime.us-west-2.amazonaws.com"
    theirs = signed_by_boto3(credentials, body)
    moment = theirs["X-Amz-Date"].decode()
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: _at(moment))
    headers = {"accept": "application/json", "content-type": "application/json"}
    ours = httpx.Request(
        "POST", f"{url}/model/stability.stable-image-core-v1%3A1/invoke", headers=headers, content=body
    )
    sign(ours, AwsService("bedrock", "us-west-2"))
    assert parts(ours.headers["authorization"]) == parts(theirs["Authorization"].decode())


def _at(moment: str) -> Any:
    from datetime import UTC, datetime

    return datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def signed_by_boto3(credentials: Credentials, body: bytes) -> Any:
    """The headers of the SDK's own call."""
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "aws_session_token": "session"}
    sdk = boto3.client("bedrock-runtime", region_name="us-west-2", **keys)  # type: ignore[call-overload]
    sent: list[Any] = []

    def keep(request: Any, **_: Any) -> Any:
        sent.append(request.headers)
        raise InterruptedError

    sdk.meta.events.register("before-send.bedrock-runtime.InvokeModel", keep)
    with pytest.raises(InterruptedError):
        sdk.invoke_model(modelId=CORE, body=body, accept="application/json", contentType="application/json")
    return sent[0]


def parts(authorization: str) -> list[str]:
    """Credential, signed headers and signature."""
    return re.findall(r"(?:Credential|SignedHeaders|Signature)=[^, ]+", authorization)
