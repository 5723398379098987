"""Work that arrives and leaves as events, without HTTP."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from imagegate.local.stack import Stack

Until = Callable[..., Any]
Aws = Callable[[str], Any]


def physical(aws: Aws, logical: str) -> str:
    """The physical id of a resource of the stack."""
    resource = aws("cloudformation").describe_stack_resource(StackName="imagegate-local", LogicalResourceId=logical)
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def letters(aws: Aws, logical: str) -> list[dict[str, Any]]:
    """Takes what is in a dead-letter queue."""
    queue = physical(aws, logical)
    answer = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    for letter in answer.get("Messages", []):
        aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=letter["ReceiptHandle"])
    return list(answer.get("Messages", []))


@pytest.mark.parametrize("seconds_old", [0, 3600])
def test_a_record_that_cannot_be_read_is_asked_for_again_and_then_put_aside(
    stack: Stack, aws: Aws, seconds_old: int
) -> None:
    image = {"body": {"S": '{"from": "the future"}'}}
    change = {"Keys": {"pk": {"S": "op#x"}}, "NewImage": image, "SequenceNumber": "7"}
    record = {"dynamodb": change | {"ApproximateCreationDateTime": time.time() - seconds_old}}
    invoked = aws("lambda").invoke(
        FunctionName=physical(aws, "PublishFunction"), Payload=json.dumps({"Records": [record]})
    )
    again = json.load(invoked["Payload"])["batchItemFailures"]
    found = letters(aws, "UnpublishedQueue")
    if not seconds_old:
        assert (again, found) == ([{"itemIdentifier": "7"}], [])
        return
    assert again == []
    [letter] = found
    assert json.loads(letter["Body"]) == {"Records": [record]}
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "unreadable"
