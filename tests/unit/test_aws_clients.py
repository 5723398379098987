"""What the AWS clients of the functions send."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from imagegate.adapters.aws import client
from imagegate.adapters.s3_images import s3_client


class Sent(Exception):
    """In place of the call."""


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (lambda: client("events"), lambda events: events.put_events(Entries=[{"Source": "imagegate"}])),
        (lambda: s3_client("us-east-1"), lambda s3: s3.get_object(Bucket="pictures", Key="k")),
    ],
    ids=["events", "s3"],
)
def test_calls_carry_a_user_agent_that_is_not_built_for_each(
    made: Callable[[], Any], call: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client.cache_clear()
    aws, agents = made(), list[str | bytes]()

    def before_send(request: Any, **_: Any) -> None:
        agents.append(request.headers["User-Agent"])
        raise Sent

    aws.meta.events.register("before-send", before_send)
    with pytest.raises(Sent):
        call(aws)
    client.cache_clear()
    [agent] = agents
    text = agent.decode() if isinstance(agent, bytes) else agent
    assert re.fullmatch(r"imagegate( Botocore/[\d.]+)?", text), "botocore's own has a dozen parts"


def test_an_endpoint_is_resolved_once_for_each_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    client.cache_clear()
    aws, urls, resolved = client("dynamodb"), list[str](), list[str]()
    client.cache_clear()
    rules = aws._ruleset_resolver._resolver
    resolve = rules.construct_endpoint

    def counted(operation: Any, *arguments: Any) -> Any:
        resolved.append(operation.name)
        return resolve(operation, *arguments)

    def before_send(request: Any, **_: Any) -> None:
        urls.append(request.url)
        raise Sent

    monkeypatch.setattr(rules, "construct_endpoint", counted)
    aws.meta.events.register("before-send", before_send)
    for pk in ("a", "b"):
        with pytest.raises(Sent):
            aws.get_item(TableName="t", Key={"pk": {"S": pk}})
        with pytest.raises(Sent):
            aws.delete_item(TableName="t", Key={"pk": {"S": pk}})
    assert urls == ["https://dynamodb.eu-central-1.amazonaws.com/"] * 4
    assert resolved == ["GetItem", "DeleteItem"]
