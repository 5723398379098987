"""What a deployment costs while no request comes: `make bench NAME=idle`.

The template as AWS transforms it, and infra/monitoring.yaml, with the conditions evaluated for each value of the
parameters that change the bill. Every type of resource is priced by name here, so a new type of resource fails until
its cost while idle is written down. List prices of prices.toml, without free tiers.
"""

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from benchmarks.cost_usage import PRICE, PRICES
from imagegate.adapters.dynamodb_operations import OPEN_SHARDS
from imagegate.adapters.emf_telemetry import EmfTelemetry
from imagegate.local.stack.packaging import load_yaml
from support.conditions import defaults, holds
from support.stack_settings import MONITORING, TEMPLATE

MINUTES = 730 * 60
"""A month's."""
SWEEP_SECONDS = 0.06
"""One sweep that finds nothing, warm: 16 queries in 8 threads, of 5 to 7 ms each, and the CPU of their calls."""
SWEEP_LOG = 600
"""Bytes that Lambda itself logs of an invocation, in JSON: its start and its report."""
POLLERS, POLLS = 5, 3
"""How many pollers Lambda keeps at a queue without messages, and how often a minute each asks it."""
FREE = {
    "AWS::ApiGatewayV2::Api": "paid by the request",
    "AWS::ApiGatewayV2::Integration": "",
    "AWS::ApiGatewayV2::Route": "",
    "AWS::ApiGatewayV2::Stage": "",
    "AWS::CloudFormation::Stack": "its resources are counted",
    "AWS::DynamoDB::Table": "paid by the request; what it stores is $0.25 a GB, and its backups $0.20",
    "AWS::Events::EventBus": "paid by the event",
    "AWS::Events::EventBusPolicy": "",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "",
    "AWS::Lambda::Function": "paid by the request; its schedule and its queue are counted",
    "AWS::Lambda::LayerVersion": "",
    "AWS::Lambda::Permission": "",
    "AWS::Lambda::Url": "",
    "AWS::Logs::LogGroup": "what it stores is $0.03 a GB",
    "AWS::Logs::MetricFilter": "its metric is paid in the hours in which a line matches",
    "AWS::S3::Bucket": "what it stores is $0.023 a GB",
    "AWS::S3::BucketPolicy": "",
    "AWS::SNS::Topic": "paid by the e-mail",
    "AWS::SQS::Queue": "its poller is counted",
    "AWS::SQS::QueuePolicy": "",
    "AWS::StepFunctions::StateMachine": "paid by the transition",
}
"""Types of resources that cost nothing while idle, and what is paid instead."""
CASES: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "Tracing=active": {"Tracing": "active"},
    "IntakeKey": {"IntakeKey": "0123456789ab"},
    "LongHold=on": {"LongHold": "on"},
    "Monitoring=alarms": {"Monitoring": "alarms"},
    "Monitoring=full": {"Monitoring": "full"},
    "AlarmEmail": {"AlarmEmail": "ops@example.com"},
}
Bill = Counter[str]


def transformed() -> dict[str, Any]:
    """template.yaml without SAM's resources, as CloudFormation gets it."""
    document = load_yaml(TEMPLATE)
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in resource["Properties"]:
                resource["Properties"][name] = "s3://bucket/key"
    managed = Counter[str]()  # no role is made, so every managed policy may have the empty ARN
    translator = Translator(managed, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    answer: dict[str, Any] = translator.translate(document, parameter_values={"Stage": "dev"})
    return answer


def made(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources that exist with these parameters."""
    return {
        name: entry
        for name, entry in template["Resources"].items()
        if "Condition" not in entry or holds(template, entry["Condition"], values)
    }


def bill(template: Mapping[str, Any], parameters: Mapping[str, str]) -> Bill:
    """Dollars a month, by item, with these parameters and the defaults of the others."""
    values = defaults(load_yaml(TEMPLATE)) | parameters
    resources, found = made(template, values), Bill()
    for entry in resources.values():
        found.update(priced(entry, resources, template, values))
    if "MonitoringStack" in resources:
        found.update(of_monitoring(template, values))
    return found


def of_monitoring(template: Mapping[str, Any], values: Mapping[str, Any]) -> Bill:
    """What the nested stack costs."""
    nested, found = load_yaml(MONITORING), Bill()
    given = template["Resources"]["MonitoringStack"]["Properties"]["Parameters"]
    passed = {name: resolved(value, template, values) for name, value in given.items()}
    for entry in made(nested, passed).values():
        found.update(priced(entry, {}, nested, passed))
    return found


def resolved(value: Any, template: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """A value of the template; a reference to a resource is some text."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return resolved(yes if holds(template, condition, values) else no, template, values)
    return (
        str(values.get(value["Ref"], value["Ref"]) if "Ref" in value else value) if isinstance(value, dict) else value
    )


def priced(entry: Mapping[str, Any], resources: Mapping[str, Any], template: Any, values: Any) -> Bill:
    """Dollars a month of one resource. Raises KeyError for a type that has no price here."""
    kind, properties = entry["Type"], entry["Properties"]
    prices: dict[str, Callable[[], Bill]] = {
        "AWS::CloudWatch::Alarm": lambda: Bill(alarms=PRICE["alarm_month"]),  # type: ignore[arg-type]
        "AWS::CloudWatch::Dashboard": lambda: Bill(dashboard=PRICE["dashboard_month"]),  # type: ignore[arg-type]
        "AWS::Events::Rule": lambda: _rule(properties, resources, template, values),
        "AWS::Lambda::EventSourceMapping": lambda: _mapping(properties),
    }
    return Bill() if kind in FREE else prices[kind]()


def _mapping(properties: Mapping[str, Any]) -> Bill:
    """Polling a queue is paid by the request; reading a table's stream for Lambda is free."""
    source = json.dumps(properties["EventSourceArn"])
    asked = POLLERS * POLLS * MINUTES * PRICE["sqs_request"]
    return Bill() if "StreamArn" in source else Bill({f"polling of {_queue(source)}": asked})  # type: ignore[dict-item]


def _queue(source: str) -> str:
    return next(word for word in source.split('"') if word.endswith("Queue"))


def _rule(properties: Mapping[str, Any], resources: Mapping[str, Any], template: Any, values: Any) -> Bill:
    """A rule that waits for events is free; a schedule invokes its function."""
    if "ScheduleExpression" not in properties:
        return Bill()
    assert properties["ScheduleExpression"] == "rate(1 minute)"
    [function] = {target["Arn"]["Fn::GetAtt"][0] for target in properties["Targets"]}
    assert function == "SweepFunction", "say what one run costs"
    return _sweep(resources[function]["Properties"], template, values)


def _sweep(function: Mapping[str, Any], template: Any, values: Any) -> Bill:
    """The sweeps of a month, each of which finds nothing."""
    compute = SWEEP_SECONDS * function["MemorySize"] / 1024 * PRICE["lambda_gb_second"] + PRICE["lambda_request"]
    traced = resolved(function["TracingConfig"]["Mode"], template, values) == "Active"
    return Bill(
        {
            "sweep, Lambda": MINUTES * compute,
            "sweep, table": MINUTES * OPEN_SHARDS * 0.5 * PRICE["dynamodb_read_unit"],
            "sweep, log": MINUTES * SWEEP_LOG / 1e9 * PRICE["log_gb"],
            "sweep, traces": traced * MINUTES * PRICE["trace"],
            "custom metrics": metrics_while_idle() * PRICE["metric_month"],
        }  # type: ignore[arg-type]
    )


def metrics_while_idle() -> int:
    """How many metrics a sweep that finds nothing writes."""
    out = io.StringIO()
    EmfTelemetry(lambda: 0.0, out).swept(0, 0.0)
    directives = [
        entry for line in out.getvalue().splitlines() for entry in json.loads(line)["_aws"]["CloudWatchMetrics"]
    ]
    return sum(len(entry["Metrics"]) * len(entry["Dimensions"]) for entry in directives)


def main() -> None:
    """Every case, then the last line."""
    template, figures = transformed(), dict[str, Any]()
    for name, parameters in CASES.items():
        found = bill(template, parameters)
        print(f"\n{name}: ${found.total():.2f} a month")
        for item, dollars in found.most_common():
            if dollars:
                print(f"  {item:28} {dollars:6.3f}")
        figures[name] = round(found.total(), 3)
    print(json.dumps({"prices": PRICES["date"], **figures}))


if __name__ == "__main__":
    main()
