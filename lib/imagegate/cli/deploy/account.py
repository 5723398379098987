"""The AWS account and region that a deployment goes to, and what in it will cause trouble."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

Clients = Callable[[str], Any]
"""Makes an AWS client by the name of its service."""
SMALL = 100
"""Concurrent Lambda executions below which held requests leave no room for the work itself."""
SHORT_HOLD = 5
"""Seconds of HoldSeconds with which 20 clients at once are served within the quota of a new account, which is 10."""
_SPARE = 100
"""Concurrent executions of an account that AWS does not let it reserve."""
RESERVING = {
    "ApiConcurrency": ("", ""),
    "WaitConcurrency": ("", ""),
    "SubmitConcurrency": ("", ""),
    "PollConcurrency": ("", ""),
    "LongHoldConcurrency": ("LongHold", "on"),
}
"""Parameters that reserve concurrent executions, each with the parameter and value on which that depends, if any."""


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """The account and region, and the identity that acts there."""

    id: str
    region: str
    arn: str
    """The identity behind the credentials."""


def identify(clients: Clients) -> AwsAccount:
    """The account that the credentials belong to, and the region."""
    region = clients("cloudformation").meta.region_name
    caller = clients("sts").get_caller_identity()
    return AwsAccount(caller["Account"], region, caller["Arn"])


def quota_warnings(clients: Clients, values: Mapping[str, str], reserved: int) -> list[str]:
    """How the parameters exceed Lambda's quota of concurrent executions.

    `values`: of all parameters, as they will be deployed. `reserved`: executions that the stack has already reserved.
    """
    try:
        settings = clients("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return [f"Lambda's quota of concurrent executions could not be read ({code}). docs/deploy.md#quotas-to-ask-for"]
    quota, free = settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"] + reserved
    return [*_small(quota, float(values["HoldSeconds"])), *_over_reserved(values, quota, free)]


def _small(quota: int, hold: float) -> list[str]:
    if quota >= SMALL:
        return []
    remedy = f" Until then set HoldSeconds = {SHORT_HOLD}." if hold > SHORT_HOLD else ""
    bound = f"Lambda runs at most {quota} functions at once in this account and region"
    return [f"{bound}, and each waiting client takes one. Ask for 1000 (docs/deploy.md#quotas-to-ask-for).{remedy}"]


def _over_reserved(values: Mapping[str, str], quota: int, free: int) -> list[str]:
    wanted = reserved_by(values)
    if not wanted or wanted <= free - _SPARE:
        return []
    names = " + ".join(name for name, amount in _reservations(values).items() if amount)
    can = max(free - _SPARE, 0)
    why = f"Of the quota of {quota}, {can} can be reserved: AWS will probably refuse the deployment."
    return [f"{names} reserve {wanted} concurrent executions. {why}"]


def reserved_by(values: Mapping[str, str]) -> int:
    """Concurrent executions that parameters with these values reserve."""
    return sum(_reservations(values).values())


def _reservations(values: Mapping[str, str]) -> dict[str, int]:
    return {
        name: int(values.get(name, 0))
        for name, (condition, on) in RESERVING.items()
        if not condition or values.get(condition) == on
    }


def alarm_warnings(clients: Clients, topic: str | None, address: str) -> list[str]:
    """Why alarms reach no one, if so. `topic`: ARN of the alarms' topic; `None`: there is none."""
    if not address:
        return ["Alarms are sent to no address: AlarmEmail is empty."]
    if topic is None:
        return [f"AWS will send {address} a message with a link to confirm; no alarm is sent before that."]
    pages = clients("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    states = [
        other["SubscriptionArn"] for page in pages for other in page["Subscriptions"] if other["Endpoint"] == address
    ]
    if any(state.startswith("arn:") for state in states):
        return []
    remedy = "Open the link in AWS's message. It works for two days; then deploy without AlarmEmail, and with it again."
    return [f"{address} has not confirmed its subscription, so no alarm is sent. {remedy}"]
