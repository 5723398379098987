"""HTTP answers in imagegate's error vocabulary."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from imagegate.domain.failure import FailureCode
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.http_errors import LONGEST_PAUSE, http_error, retry_after, strip_html


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("86401", LONGEST_PAUSE),
        ("9" * 400, LONGEST_PAUSE),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("1e9", None),
        (".", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_how_long_to_stay_away(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds
    assert retry_after({}) is None


def test_a_message_is_one_short_line_without_tags() -> None:
    assert strip_html("<p>slow\n <b>down</b></p>") == "slow down"
    assert strip_html("size < 512") == "size < 512"
    assert len(strip_html("x" * 1000)) == 300


def test_a_tag_begins_at_its_last_bracket() -> None:
    """So that a page of brackets is read once, not once for each of them."""
    assert strip_html("<<b>x") == "< x"


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (402, "You have exceeded your monthly included credits.", FailureCode.NO_CREDIT),
        (402, "Pay-as-you go is not enabled for provider fal-ai yet.", FailureCode.NOT_FOUND),
        (400, "Pay-as-you go is not enabled for provider fal-ai yet.", FailureCode.INVALID_REQUEST),
    ],
)
def test_a_router_that_does_not_pay_one_provider_is_no_empty_account(
    status: int, reason: str, code: FailureCode
) -> None:
    assert http_error("hf", HttpResponse(status, {}, b""), reason).failure.code is code


def test_a_date_counts_from_the_upstreams_own_clock() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:27:15 GMT"}
    assert retry_after(headers) == 45.0
    assert retry_after(headers | {"date": "Tue, 20 Jan 2026 07:27:15 GMT"}) == LONGEST_PAUSE
    assert retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)}) == (
        pytest.approx(90, abs=5)
    )
