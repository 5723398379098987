"""What infra/monitoring.yaml promises: functions and dead-letter queues have alarms, and a new alarm does not ring."""

import json
import re
from typing import Any

import pytest

from imagegate.cli.deploy.parameters import broken_rules, read_template
from imagegate.local.stack.packaging import load_yaml
from support.conditions import holds
from support.stack_settings import MONITORING, TEMPLATE

PARENT = load_yaml(TEMPLATE)
PASSED: dict[str, Any] = PARENT["Resources"]["MonitoringStack"]["Properties"]["Parameters"]
"""What the parent stack passes to the nested one."""
DOCUMENT = load_yaml(MONITORING)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
FUNCTIONS = {
    name: resource for name, resource in PARENT["Resources"].items() if resource["Type"] == "AWS::Serverless::Function"
}
DEAD_LETTERS = [
    name
    for name, resource in PARENT["Resources"].items()
    if resource["Type"] == "AWS::SQS::Queue" and name.startswith("Un")
]
READS = ("${Bucket.Arn}/images/", "${Bucket.Arn}/inputs/")
NOTIFIES = {"Fn::If": ["Notifies", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}
    assert found
    return found


ALARMS = of_type("AWS::CloudWatch::Alarm")
DENIED = RESOURCES["ApiUnreadable"]["Properties"]["FilterPattern"]


def names_in(node: Any) -> set[str]:
    """The parameters that a value refers to."""
    text = json.dumps(node)
    return {name for name in DOCUMENT["Parameters"] if f'"{name}"' in text or f"${{{name}}}" in text}


def watching(parameter: str) -> list[dict[str, Any]]:
    return [alarm for alarm in ALARMS.values() if parameter in names_in(alarm.get("Dimensions", []))]


def test_the_parent_passes_exactly_what_is_declared_and_used() -> None:
    used = names_in(RESOURCES) | names_in(DOCUMENT["Conditions"])
    assert set(DOCUMENT["Parameters"]) == set(PASSED) == used


@pytest.mark.parametrize("name", PASSED)
def test_each_parameter_is_the_resource_of_its_name(name: str) -> None:
    value, resource = PASSED[name], PARENT["Resources"].get(name)
    if resource is None:
        return
    condition = resource.get("Condition")
    if condition:
        assert value["Fn::If"][::2] == [condition, ""]
        value = value["Fn::If"][1]
    is_queue = resource["Type"] == "AWS::SQS::Queue"
    assert value == ({"Fn::GetAtt": [name, "QueueName"]} if is_queue else {"Ref": name})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_an_alarm_on_its_errors(function: str) -> None:
    assert [alarm["MetricName"] for alarm in watching(function) if alarm["MetricName"] == "Errors"]


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_the_first_dead_letter_rings(queue: str) -> None:
    [alarm] = watching(queue)
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_an_alarm_rings_before_sqs_delivers_no_more_webhooks() -> None:
    [hidden] = watching("WebhookQueue")
    assert hidden["MetricName"] == "ApproximateNumberOfMessagesNotVisible"
    assert hidden["Threshold"] < 120_000


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_reads_pictures_has_a_filter_for_denied_reads(function: str) -> None:
    statements = [entry for policy in FUNCTIONS[function]["Properties"]["Policies"] for entry in policy["Statement"]]
    readable = json.dumps([entry["Resource"] for entry in statements if "s3:GetObject" in entry["Action"]])
    log = FUNCTIONS[function]["Properties"]["LoggingConfig"]["LogGroup"]
    filters = [
        entry
        for entry in of_type("AWS::Logs::MetricFilter").values()
        if entry["MetricTransformations"][0]["MetricName"] == "UnreadableObjects" and entry["LogGroupName"] == log
    ]
    assert len(filters) == any(path in readable for path in READS)
    assert {entry["FilterPattern"] for entry in filters} <= {DENIED}


@pytest.mark.parametrize(
    ("alarm", "metric"), [("UnreadableAlarm", "UnreadableObjects"), ("BreakdownsAlarm", "Breakdowns")]
)
def test_the_first_line_that_a_filter_counts_rings(alarm: str, metric: str) -> None:
    assert (ALARMS[alarm]["MetricName"], ALARMS[alarm]["Threshold"]) == (metric, 1)


def test_a_silent_sweep_rings() -> None:
    """A new alarm's state is INSUFFICIENT_DATA. It notifies when its state changes to one that has actions."""
    alarm = ALARMS["SweepSilentAlarm"]
    assert alarm in watching("SweepFunction")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Invocations", "Sum")
    assert alarm["InsufficientDataActions"] == NOTIFIES


@pytest.mark.parametrize("name", ALARMS)
def test_a_new_alarm_does_not_ring_for_missing_data(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["TreatMissingData"] == ("missing" if "InsufficientDataActions" in alarm else "notBreaching")
    assert alarm["AlarmActions"] == NOTIFIES


@pytest.mark.parametrize("name", RESOURCES)
def test_what_watches_an_optional_part_is_optional(name: str) -> None:
    """An alarm whose dimension is empty would be refused."""
    optional = {"HoldsLong": "HoldFunction", "TakesEvents": "IntakeFunction"}
    if RESOURCES[name]["Type"] == "AWS::CloudWatch::Dashboard":
        return
    conditions = {
        condition
        for condition in optional
        for used in names_in(RESOURCES[name]["Properties"])
        if isinstance(PASSED[used], dict) and PASSED[used].get("Fn::If", [""])[0] == condition
    }
    assert {RESOURCES[name].get("Condition")} - {None} == conditions


def test_the_dashboard_is_json_and_reads_the_log_groups() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(places) == len(set(places))
    queries = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    groups = {group for query in queries for group in re.findall(r"SOURCE '\$\{(\w+)\}'", query)}
    assert groups == {"ExpandLog", "PollLog", "PublishLog", "SubmitLog"}


@pytest.mark.parametrize("kind", ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::MetricFilter"])
def test_template_yaml_has_no_monitoring_of_its_own(kind: str) -> None:
    assert kind not in {resource["Type"] for resource in PARENT["Resources"].values()}


def test_an_idle_deployment_pays_for_no_alarm_and_no_dashboard() -> None:
    assert PARENT["Parameters"]["Monitoring"]["Default"] == "auto"
    assert PARENT["Parameters"]["AlarmEmail"]["Default"] == ""


@pytest.mark.parametrize(
    ("monitoring", "email", "stack", "dashboard"),
    [
        ("auto", "", False, False),
        ("auto", "ops@example.com", True, True),
        ("none", "", False, False),
        ("alarms", "", True, False),
        ("alarms", "ops@example.com", True, False),
        ("full", "", True, True),
        ("full", "ops@example.com", True, True),
    ],
)
def test_what_the_parameter_adds(monitoring: str, email: str, stack: bool, dashboard: bool) -> None:
    values = {"Monitoring": monitoring, "AlarmEmail": email}
    assert (holds(PARENT, "WithMonitoring", values), holds(PARENT, "WithDashboard", values)) == (stack, dashboard)


def test_an_address_without_alarms_is_refused() -> None:
    template = read_template(TEMPLATE)
    defaults = {name: parameter.default for name, parameter in template.parameters.items()}
    broken = broken_rules(template, {**defaults, "Monitoring": "none", "AlarmEmail": "ops@example.com"})
    assert broken == ["With AlarmEmail, Monitoring must not be none."]
    assert not broken_rules(template, {**defaults, "AlarmEmail": "ops@example.com"})
