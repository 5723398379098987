"""What template.yaml promises about events: none is dropped silently, and requests by event are off by default."""

import json
from typing import Any

import pytest

from imagegate.cli.schemas import REQUESTED
from imagegate.domain.operation.events import DETAIL_TYPES, SOURCE
from imagegate.local.stack.packaging import load_yaml
from imagegate.usecases.intake import LONGEST_PAUSE, PATIENCE, PAUSE
from support.stack_settings import TEMPLATE

DOCUMENT = load_yaml(TEMPLATE)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
INTAKE = [name for name in RESOURCES if name.startswith(("Intake", "Unaccepted"))]


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def of(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_requests_are_heard_and_our_own_announcements_are_not() -> None:
    assert properties("IntakeRule")["EventPattern"] == {"detail-type": [REQUESTED]}
    assert REQUESTED not in DETAIL_TYPES.values()


@pytest.mark.parametrize("name", INTAKE)
def test_nobody_listens_unless_told_in_whose_name(name: str) -> None:
    assert RESOURCES[name]["Condition"] == "TakesEvents"
    assert DOCUMENT["Parameters"]["IntakeKey"]["Default"] == ""


def test_a_request_has_time_and_turns_and_then_a_place() -> None:
    queue = properties("IntakeQueue")
    assert queue["VisibilityTimeout"] >= 6 * properties("IntakeFunction")["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == of("UnacceptedQueue")
    [target] = properties("IntakeRule")["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]) == (of("IntakeQueue"), {"Arn": of("UnacceptedQueue")})


def test_waiting_for_a_keys_limits_does_not_use_up_a_messages_receipts() -> None:
    queue = properties("IntakeQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] * PAUSE > PATIENCE
    assert queue["VisibilityTimeout"] + LONGEST_PAUSE + PATIENCE < queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("function", [name for name, resource in RESOURCES.items() if name.endswith("Function")])
def test_no_function_sends_to_a_queue_that_it_reads(function: str) -> None:
    """Lambda stops such a chain after 16 rounds, and what it went round with is put aside."""
    mappings = [
        resource["Properties"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    reads = [
        json.dumps(mapping["EventSourceArn"]) for mapping in mappings if mapping["FunctionName"] == {"Ref": function}
    ]
    statements = [entry for policy in properties(function)["Policies"] for entry in policy["Statement"]]
    sends = json.dumps([statement["Resource"] for statement in statements if "sqs:SendMessage" in statement["Action"]])
    assert not [queue for queue in reads if queue in sends]


@pytest.mark.parametrize("queue", ["IntakeQueue", "UnacceptedQueue"])
def test_only_the_rule_sends_to_the_intakes_queues(queue: str) -> None:
    policy = properties(f"{queue}Policy")
    [statement] = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == [{"Ref": queue}]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": of("IntakeRule")}}


def test_only_publish_speaks_as_imagegate() -> None:
    policy = properties("BusPolicy")
    assert policy["EventBusName"] == {"Ref": "Bus"}
    statement = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "events:PutEvents")
    assert statement["Resource"] == of("Bus")
    assert statement["Condition"] == {
        "ForAnyValue:StringEquals": {"events:source": SOURCE},
        "ArnNotEquals": {"aws:PrincipalArn": of("PublishFunctionRole")},
    }


def test_no_rule_and_no_policy_lets_the_bus_send_webhooks() -> None:
    closed = [json.dumps(form) for form in (of("WebhookQueue"), {"Ref": "WebhookQueue"})]
    for name, resource in RESOURCES.items():
        if resource["Type"] in ("AWS::Events::Rule", "AWS::SQS::QueuePolicy"):
            assert not any(form in json.dumps(resource) for form in closed), name


@pytest.mark.parametrize("mapping", ["PublishMapping", "IntakeMapping"])
def test_a_part_of_a_batch_may_fail(mapping: str) -> None:
    assert properties(mapping)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_announcing_is_given_up_by_age_only_and_not_without_a_trace() -> None:
    mapping = properties("PublishMapping")
    assert mapping["MaximumRetryAttempts"] == -1
    assert 3600 <= mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": of("UnpublishedQueue")}}
    assert properties("PublishFunction")["Environment"]["Variables"]["DEAD_LETTERS"] == {"Ref": "UnpublishedQueue"}


DEAD = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::SQS::Queue" and name.startswith("Un")]


def test_queues_for_dead_letters_are_known_by_their_names() -> None:
    reported = json.dumps(
        [{name: resource for name, resource in RESOURCES.items() if resource["Type"] != "AWS::SQS::QueuePolicy"}]
    )
    for name in DEAD:
        assert json.dumps(of(name)) in reported, name


@pytest.mark.parametrize("queue", DEAD)
def test_a_dead_letter_is_kept_for_two_weeks(queue: str) -> None:
    assert properties(queue)["MessageRetentionPeriod"] == 14 * 86_400
