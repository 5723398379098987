"""Policies of event buses, which MiniStack 1.5.33 keeps and does not evaluate, nor makes by CloudFormation.

On AWS a Deny in one holds for principals of the bus's own account too. The condition keys `events:source` and
`events:detail-type` hold what the entries of a PutEvents say.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]
_TYPE = "AWS::Events::EventBusPolicy"
_SESSION = re.compile(r"(arn:[a-z-]+:)sts(::\d{12}:)assumed-role/([^/]+)/.+")


def mend() -> None:
    """Have MiniStack make and evaluate them from now on; call it once."""
    eventbridge.bus_policy_for_arn = _policy_of
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "update": _update, "delete": _delete}
    context_of = iam_actions.request_tag_context

    def with_entries(service: str, iam_action: str, body: bytes, *more: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(service, iam_action, body, *more)
        return {**context, **_entries(body)} if iam_action == "events:PutEvents" else context

    iam_actions.request_tag_context = with_entries
    _name_roles_as_aws_does()


def _name_roles_as_aws_does() -> None:
    """Have `aws:PrincipalArn` name the role, not the session in which it was taken."""
    resolve = iam_evaluator._resolve_condition_key

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        session = _SESSION.fullmatch(str(value)) if key.lower() == "aws:principalarn" else None
        return f"{session[1]}iam{session[2]}role/{session[3]}" if session else value

    iam_evaluator._resolve_condition_key = resolved


def _entries(body: bytes) -> dict[str, list[str]]:
    """The condition keys of a PutEvents; none for a body that is not one, which MiniStack refuses."""
    try:
        entries = json.loads(body)["Entries"]
        return {
            "events:source": sorted({entry["Source"] for entry in entries}),
            "events:detail-type": sorted({entry["DetailType"] for entry in entries}),
        }
    except (ValueError, LookupError, TypeError):
        return {}


def _policy_of(arn: str) -> tuple[Any, str] | None:
    """The policy of the bus with that ARN, and the account it is in."""
    policy = eventbridge._event_bus_policies.get(arn.rpartition("/")[2])
    return (policy, arn.split(":")[4]) if policy else None


def _create(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
    bus, name = properties.get("EventBusName", "default"), properties["StatementId"]
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    others = [other for other in policy["Statement"] if other.get("Sid") != name]
    policy["Statement"] = [*others, {"Sid": name, **properties["Statement"]}]
    return f"{bus}|{name}", {}


def _update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
    return _create(physical_id, new, stack_name)


def _delete(physical_id: str, properties: Properties) -> None:
    bus, _, name = physical_id.partition("|")
    eventbridge._remove_permission({"EventBusName": bus, "StatementId": name})
