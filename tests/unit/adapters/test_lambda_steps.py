"""Steps without an execution, as Lambda is asked for them."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from imagegate.adapters.lambda_steps import LambdaSteps


@pytest.fixture
def client() -> Any:
    return boto3.client("lambda", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="s")


@pytest.fixture
def answers(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_step_is_an_event_for_the_function(client: Any, answers: Stubber) -> None:
    body = io.BytesIO(b"left")
    event = {"id": "op1", "looked_at": 12.5, "looks": 2}
    asked = {"FunctionName": "submit", "InvocationType": "Event", "Payload": json.dumps(event).encode()}
    answers.add_response("invoke", {"StatusCode": 202, "Payload": StreamingBody(body, 4)}, asked)
    LambdaSteps(client, "submit").take("op1", 12.5, 2)
    assert not body.read(), "the answer is read to its end, or its connection is lost"


@pytest.mark.parametrize(("code", "status"), [("TooManyRequestsException", 429), ("ServiceException", 500)])
def test_what_passes_is_left_to_the_client_and_to_sweep(
    client: Any, answers: Stubber, code: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    answers.add_client_error("invoke", code, http_status_code=status)
    LambdaSteps(client, "submit").take("op1")
    assert f"op1 could not be taken ({code})" in caplog.text


def test_a_lost_connection_is_left_to_them_too(caplog: pytest.LogCaptureFixture) -> None:
    class Lost:
        def invoke(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://lambda.invalid")

    LambdaSteps(Lost(), "submit").take("op1")
    assert "EndpointConnectionError" in caplog.text


def test_a_missing_right_is_raised(client: Any, answers: Stubber) -> None:
    answers.add_client_error("invoke", "AccessDeniedException", http_status_code=403)
    with pytest.raises(ClientError):
        LambdaSteps(client, "submit").take("op1")
