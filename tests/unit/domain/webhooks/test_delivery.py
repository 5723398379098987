"""When a webhook is tried again, and when no more."""

import itertools
from dataclasses import replace
from email.utils import formatdate

import pytest

from imagegate.domain.timing.retry_after import seconds_until
from imagegate.domain.webhooks.delivery import (
    LONGEST_WAIT,
    WAITS,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    RetryPolicy,
)

NEW = Delivery(
    operation_id="op", sequence=3, event="succeeded", event_id="op.3", body="{}", announced_at=0.0, expires_at=1e9
)
MIDDLE = RetryPolicy(chance=0.5)


def failed(delivery: Delivery, times: int, pace: RetryPolicy = MIDDLE) -> Delivery:
    for _ in range(times):
        delivery = delivery.with_attempt(DeliveryAttempt(at=delivery.next_at, seconds=0.0, status=500), pace)
    return delivery


def test_ten_attempts_over_three_days_then_it_is_dead() -> None:
    starts = [failed(NEW, times).next_at for times in range(10)]
    assert [round(later - earlier) for earlier, later in itertools.pairwise(starts)] == list(WAITS)
    assert failed(NEW, 9).state is DeliveryState.PENDING
    assert failed(NEW, 10).state is DeliveryState.DEAD
    assert len(failed(NEW, 10).tries) == 10
    assert 3 * 86_400 < starts[-1] < 4 * 86_400


def test_receivers_that_fell_together_are_not_asked_again_together() -> None:
    waits = [RetryPolicy(chance=chance).delay(5, None) for chance in (0.0, 0.5, 1.0)]
    assert waits == [16_200, 18_000, 19_800]


def test_schedules_can_be_shortened_to_try_things_out() -> None:
    assert [RetryPolicy(0.00001).delay(at, None) for at in range(1, 11)] == [0, 0, 0, 0, 0, 0, 1, 1, 1, None]


@pytest.mark.parametrize(("asked", "waited"), [(None, 300), (1.0, 300), (1000.0, 1000), (1e9, LONGEST_WAIT * 1.1)])
def test_retry_after_lengthens_a_wait_up_to_a_day(asked: float | None, waited: float) -> None:
    once = failed(NEW, 1)
    twice = once.with_attempt(DeliveryAttempt(at=100.0, seconds=0.0, status=503, retry_after=asked), MIDDLE)
    assert twice.next_at - 100 == pytest.approx(waited, abs=1)


def test_retry_after_as_receivers_write_it() -> None:
    now = 1_800_000_000.0
    assert seconds_until("120", now) == 120
    assert seconds_until(formatdate(now + 90, usegmt=True), now) == 90
    assert seconds_until(formatdate(now - 90, usegmt=True), now) == 0
    for nonsense in (None, "", "soon", "-5", "1e9", "9" * 400, "Mon, 99 Foo 2026 99:99:99 GMT"):
        assert seconds_until(nonsense, now) is None


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_taken(status: int) -> None:
    assert (
        NEW.with_attempt(DeliveryAttempt(at=0.0, seconds=0.1, status=status), MIDDLE).state is DeliveryState.DELIVERED
    )


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 303, 400, 401, 404, 409, 429, 500, 503])
def test_anything_else_is_tried_again(status: int | None) -> None:
    tried = NEW.with_attempt(DeliveryAttempt(at=50.0, seconds=2.0, status=status), MIDDLE)
    assert (tried.state, tried.next_at) == (DeliveryState.PENDING, 57.0)


def test_410_ends_it() -> None:
    assert NEW.with_attempt(DeliveryAttempt(at=0.0, seconds=0.1, status=410), MIDDLE).state is DeliveryState.DISABLED


def test_begun_anew_it_has_all_its_attempts_again_and_remembers_the_earlier_ones() -> None:
    again = failed(NEW, 10).restarted("other")
    assert (again.state, again.failures, again.next_at, len(again.tries)) == (DeliveryState.PENDING, 0, 0.0, 10)
    assert failed(again, 9).state is DeliveryState.PENDING
    assert failed(again, 10).state is DeliveryState.DEAD
    assert len(failed(failed(again, 10).restarted("x"), 10).restarted("y").tries) == 30


def test_what_is_signed_has_no_full_stop_in_its_id() -> None:
    assert NEW.webhook_id == "op-3"


def test_a_delivery_that_is_begun_again_follows_its_new_message() -> None:
    again = failed(replace(NEW, message_id="one"), 10).restarted("two")
    assert (again.message_id, again.state, again.failures, again.next_at) == ("two", DeliveryState.PENDING, 0, 0.0)


def test_however_often_it_is_sent_again_only_the_last_attempts_are_kept() -> None:
    many = NEW
    for number in range(100):
        many = many.restarted("by hand").with_attempt(
            DeliveryAttempt(at=float(number), seconds=0.0, status=500), MIDDLE
        )
    assert [attempt.at for attempt in many.tries] == [float(number) for number in range(70, 100)]
