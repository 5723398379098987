"""What is mended in MiniStack, as far as it shows without running it."""

from typing import Any

import pytest
from ministack.services import lambda_svc

from imagegate.local.ministack import gaps
from imagegate.workflow.fail import OUTAGES

REPORT = {"batchItemFailures": [{"itemIdentifier": "7"}]}


@pytest.mark.parametrize(
    ("source", "body", "failed"),
    [
        ("aws:dynamodb", REPORT, True),
        ("aws:dynamodb", {"batchItemFailures": []}, False),
        ("aws:dynamodb", None, False),
        ("aws:sqs", REPORT, False),
    ],
)
def test_a_streams_batch_with_failures_does_not_count_as_done(
    monkeypatch: pytest.MonkeyPatch, source: str, body: Any, failed: bool
) -> None:
    monkeypatch.setattr(lambda_svc, "_execute_function", lambda func, event: {"body": body})
    gaps._heed_batch_item_failures()
    result = lambda_svc._execute_function({}, {"Records": [{"eventSource": source}]})
    assert result.get("error", False) is failed


def test_other_events_pass_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "_execute_function", lambda func, event: {"body": REPORT})
    gaps._heed_batch_item_failures()
    assert lambda_svc._execute_function({}, {"rawPath": "/"}) == {"body": REPORT}
    assert lambda_svc._execute_function({}, {"Records": []}) == {"body": REPORT}


def test_a_throttled_step_has_the_name_that_the_workflow_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "_throttle_response", lambda_svc._throttle_response)
    gaps._name_throttles()
    body = lambda_svc._throttle_response("ConcurrentInvocationLimitExceeded", "full")["body"]
    assert body["errorType"] in OUTAGES
    assert (body["__type"], body["Reason"]) == ("TooManyRequestsException", "ConcurrentInvocationLimitExceeded")
