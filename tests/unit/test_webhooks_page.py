"""What docs/webhooks.md shows works."""

import json
import re
import time
from pathlib import Path

import pytest

from imagegate.dialects.operations import requests as operations_requests
from imagegate.domain.operation.webhook_body import LARGEST
from imagegate.domain.timing import circuit
from imagegate.domain.timing.circuit import FAILURES
from imagegate.domain.webhooks.delivery import MOST_POSTS, WAITS
from imagegate.domain.webhooks.webhook import EVENTS, signed_headers
from imagegate.local.stack.packaging import load_yaml
from imagegate.usecases.redeliver import PAUSE
from imagegate.usecases.retry import MOST_RETRIES
from support.stack_settings import TEMPLATE

MOST_PICTURES = 10
"""Pictures of an operation (`n`); each may come late."""

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def test_the_request_is_accepted_and_its_secret_opens_the_receivers_lock(capsys: pytest.CaptureFixture[str]) -> None:
    [request] = re.findall(r"-d '(\{.*?\})'\n```", PAGE, re.DOTALL)
    wanted = operations_requests.parse(request.encode())[0].requested_webhook
    assert wanted
    assert wanted.secret
    [receiver] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    known: dict[str, object] = {}
    exec(receiver, known)
    body = json.dumps({"type": "image_generation.queued", "data": {"operation": {"id": "abc"}}}).encode()
    headers = signed_headers([wanted.secret], "abc-1", time.time(), body)
    known["receive"](headers, body)  # type: ignore[operator]
    assert capsys.readouterr().out == "image_generation.queued abc\n"
    with pytest.raises(Exception, match="No matching signature"):
        known["receive"](headers, body + b" ")  # type: ignore[operator]


def test_events_and_waits_are_those_there_are() -> None:
    [listed] = re.findall(r"- `events`: some of (.*?);", PAGE)
    assert tuple(re.findall(r"`(\w+)`", listed)) == EVENTS
    [waits] = re.findall(r"ten times in all: after (.*?), each ±", PAGE, re.DOTALL)
    units = {"s": 1, "min": 60, "h": 3600}
    assert tuple(int(number) * units[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", waits)) == WAITS


def test_the_page_says_how_much_is_sent_at_most() -> None:
    assert f"makes at most {MOST_POSTS} POSTs**" in PAGE
    assert f"smaller than {LARGEST // 1000} kB" in PAGE
    events = (1 + MOST_RETRIES) * 3 + MOST_PICTURES
    assert f"can be retried {MOST_RETRIES} times, so that it has {events} events at most" in PAGE
    assert (FAILURES, f"for {circuit._FIRST_OPEN:.0f} s," in PAGE, circuit._LONGEST_OPEN) == (5, True, 300)
    assert "five consecutive failures of one owner's deliveries to a host" in PAGE
    assert PAUSE == 60
    assert "redelivered once a minute at most" in PAGE.replace("\n", " ")
    default = load_yaml(TEMPLATE)["Parameters"]["DeliverConcurrency"]["Default"]
    assert f"`DeliverConcurrency` ({default})" in PAGE
