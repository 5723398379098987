"""What docs/webhooks.md shows works."""

import json
import re
import time
from pathlib import Path

import pytest

from imagegate.dialects import operations
from imagegate.domain.delivery import WAITS
from imagegate.domain.webhook import EVENTS, signed_headers

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def test_the_request_is_accepted_and_its_secret_opens_the_receivers_lock(capsys: pytest.CaptureFixture[str]) -> None:
    [request] = re.findall(r"-d '(\{.*?\})'\n```", PAGE, re.DOTALL)
    wanted = operations.parse(request.encode())[0].wanted_webhook
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
    [listed] = re.findall(r"- `events`: of (.*?);", PAGE)
    assert tuple(re.findall(r"`(\w+)`", listed)) == EVENTS
    [waits] = re.findall(r"ten times in all: after (.*?), give", PAGE, re.DOTALL)
    units = {"s": 1, "min": 60, "h": 3600}
    assert tuple(int(number) * units[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", waits)) == WAITS
