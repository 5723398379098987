"""What will cause trouble is said before the deployment."""

import json
import re

import pytest

from imagegate.cli.deploy import account
from imagegate.cli.deploy.parameters import read_template
from imagegate.local.stack.packaging import load_yaml
from support.fake_account import FakeAccount, refusal
from support.stack_settings import TEMPLATE

DEFAULTS = {name: parameter.default for name, parameter in read_template(TEMPLATE).parameters.items()}


@pytest.mark.parametrize(
    ("quota", "hold", "words"),
    [(10, "25", ("at most 10", "HoldSeconds = 5")), (99, "25", ("HoldSeconds = 5",)), (10, "5", ("at most 10",))],
)
def test_a_small_quota_is_warned_of_with_a_shorter_hold(quota: int, hold: str, words: tuple[str, ...]) -> None:
    fake = FakeAccount(quota=quota, unreserved=quota)
    [warning] = account.quota_warnings(fake, DEFAULTS | {"HoldSeconds": hold}, 0)
    assert all(word in warning for word in words)
    assert ("HoldSeconds" in warning) is (hold != "5")


@pytest.mark.parametrize("quota", [100, 1000])
def test_a_quota_that_is_enough_is_not_spoken_of(quota: int) -> None:
    assert account.quota_warnings(FakeAccount(quota=quota, unreserved=quota), DEFAULTS, 0) == []


def test_a_quota_that_cannot_be_read_is_no_reason_not_to_deploy() -> None:
    [warning] = account.quota_warnings(FakeAccount(quota=refusal("AccessDeniedException")), DEFAULTS, 0)
    assert "AccessDeniedException" in warning


@pytest.mark.parametrize(
    ("reserved", "unreserved", "warned"),
    [(0, 1000, False), (0, 750, True), (400, 600, False), (0, 760, False)],
)
def test_reserving_more_than_aws_lets_is_warned_of(reserved: int, unreserved: int, warned: bool) -> None:
    """`reserved`: by the stack itself, which an update gives back first."""
    values = DEFAULTS | {"ApiConcurrency": "600", "PollConcurrency": "60"}
    warnings = account.quota_warnings(FakeAccount(unreserved=unreserved), values, reserved)
    assert ["ApiConcurrency + PollConcurrency reserve 660" in warning for warning in warnings] == (
        [True] if warned else []
    )


def test_what_is_switched_off_reserves_nothing() -> None:
    values = DEFAULTS | {"LongHoldConcurrency": "950"}
    assert account.quota_warnings(FakeAccount(), values | {"LongHold": "off"}, 0) == []
    [warning] = account.quota_warnings(FakeAccount(), values | {"LongHold": "on"}, 0)
    assert "LongHoldConcurrency reserve 950" in warning


def test_every_parameter_that_reserves_is_known() -> None:
    functions = load_yaml(TEMPLATE)["Resources"].values()
    reserved = [
        json.dumps(function["Properties"].get("ReservedConcurrentExecutions"))
        for function in functions
        if "Properties" in function
    ]
    named = {name for entry in reserved for name in re.findall(r'"Ref": "(\w+)"', entry)}
    assert named == set(account.RESERVING)


def test_nothing_is_reserved_where_the_quota_is_ten() -> None:
    values = DEFAULTS | {"SubmitConcurrency": "1", "HoldSeconds": "5"}
    _, warning = account.quota_warnings(FakeAccount(quota=10, unreserved=10), values, 0)
    assert "Of the quota of 10, 0 can be reserved" in warning


@pytest.mark.parametrize(
    ("address", "topic", "subscriptions", "words"),
    [
        ("", None, {}, "AlarmEmail is empty"),
        ("a@b.c", None, {}, "AWS will send a@b.c"),
        ("a@b.c", "arn:t", {"a@b.c": "PendingConfirmation"}, "a@b.c has not confirmed"),
        ("a@b.c", "arn:t", {"x@b.c": "arn:aws:sns:1"}, "a@b.c has not confirmed"),
        ("a@b.c", "arn:t", {"a@b.c": "arn:aws:sns:1"}, None),
    ],
)
def test_alarms_that_reach_no_one(
    address: str, topic: str | None, subscriptions: dict[str, str], words: str | None
) -> None:
    message = account.alarm_warnings(FakeAccount(subscriptions=subscriptions), topic, address)
    assert [words in entry for entry in message if words] == ([True] if words else [])
    assert len(message) == bool(words)
