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
