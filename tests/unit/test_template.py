"""What template.yaml promises about itself. The functions are read from it, so the tests cover a new one too."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from imagegate.domain.webhooks.delivery import LEASE_SECONDS, turn_wait
from imagegate.local.stack.packaging import load_yaml
from imagegate.workflow.fail import OUTAGES
from support.stack_settings import TEMPLATE

DOCUMENT = load_yaml(TEMPLATE)
WORKFLOW = load_yaml(TEMPLATE.parent / "infra" / "workflow.asl.yaml")
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
FUNCTIONS = {name: resource for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Serverless::Function"}
UPSTREAM_CALLERS = {"SubmitFunction", "PollFunction"}
SECRET_READERS = {*UPSTREAM_CALLERS, "ExpandFunction"}
"""Functions that may read upstreams' secrets."""
WEBHOOK_SIGNERS = {"ApiFunction", "HoldFunction", "DeliverFunction", "IntakeFunction"}
"""Functions that may read the key of webhook secrets, and no other parameter."""
TALKS_TO_STRANGERS = "DeliverFunction"
"""Creates neither key nor secret. The other functions may encrypt the first secret, and then create the key."""
EVENTS_THAT_DO_NOT_WAIT = {"Schedule", "EventBridgeRule", "SNS", "S3"}


def policies(name: str) -> Iterator[dict[str, Any]]:
    """The statements of a function's or the workflow's own policies."""
    for policy in RESOURCES[name]["Properties"]["Policies"]:
        yield from policy["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


STATEMENTS = [(name, policy) for name in (*FUNCTIONS, "Workflow") for policy in policies(name)]


def of_type(kind: str) -> dict[str, Any]:
    found = {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}
    assert found
    return found


@pytest.mark.parametrize(("function", "statement"), STATEMENTS)
def test_policies_name_actions_and_resources(function: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert "NotAction" not in statement
    assert "NotResource" not in statement
    for action in listed(statement["Action"]):
        assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action), f"{function}: {action}"
    for resource in listed(statement["Resource"]):
        text = json.dumps(resource)
        assert '"*"' not in text
        # A star may only replace an object's key or a parameter's name below a fixed path.
        assert "*" not in text or re.search(r"\}/[a-z]+/\*\"|/upstreams/\*\"", text), f"{function}: {text}"


@pytest.mark.parametrize(("function", "statement"), STATEMENTS)
def test_no_role_opens_the_whole_table(function: str, statement: dict[str, Any]) -> None:
    items = {"GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"}
    if {action.removeprefix("dynamodb:") for action in listed(statement["Action"])} & items:
        keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        assert all(re.fullmatch(r"[a-z]+(#\*)?", key) for key in keys), f"{function}: {keys}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_those_who_need_them_read_secrets(function: str) -> None:
    actions = {action for policy in policies(function) for action in listed(policy["Action"])}
    reads = {action for action in actions if action.startswith(("ssm:", "secretsmanager:", "kms:"))}
    of_webhooks = {"ssm:GetParameter", "ssm:PutParameter"} if function in WEBHOOK_SIGNERS else set()
    of_webhooks -= {"ssm:PutParameter"} if function == TALKS_TO_STRANGERS else set()
    of_upstreams = {"ssm:GetParametersByPath" if function in UPSTREAM_CALLERS else "ssm:GetParameter"}
    assert reads == (of_upstreams if function in SECRET_READERS else of_webhooks)
    opened = [
        json.dumps(resource)
        for policy in policies(function)
        if "ssm:GetParameter" in json.dumps(policy["Action"])
        for resource in listed(policy["Resource"])
    ]
    below = r"upstreams(/\*|/\$\{\w+\})?" if function in SECRET_READERS else "webhooks"
    assert all(re.search(rf":parameter/imagegate/\$\{{Stage\}}/{below}\"", entry) for entry in opened), opened


def test_whoever_expands_prompts_reads_one_secret() -> None:
    [resource] = [policy["Resource"] for policy in policies("ExpandFunction") if policy["Action"] == "ssm:GetParameter"]
    assert resource["Fn::Sub"].endswith(":parameter/imagegate/${Stage}/upstreams/${ExpanderSecretName}")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_nobody_waits_for_is_not_lost_when_it_fails(function: str) -> None:
    properties = FUNCTIONS[function]["Properties"]
    kinds = {entry["Type"] for entry in properties.get("Events", {}).values()}
    assert not kinds & EVENTS_THAT_DO_NOT_WAIT or "DeadLetterQueue" in properties


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_logs_to_a_group_that_expires(function: str) -> None:
    group = FUNCTIONS[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def test_access_logs_need_no_line_in_the_accounts_policy() -> None:
    """That policy holds 5,120 characters: in a busy account the deployment of another name would be refused."""
    for stage in of_type("AWS::ApiGatewayV2::Stage").values():
        [group, attribute] = stage["Properties"]["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"]
        name = RESOURCES[group]["Properties"]["LogGroupName"]["Fn::Sub"]
        assert (attribute, name) == ("Arn", "/aws/vendedlogs/imagegate-${Stage}"), "each stage has its own"
        assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def test_sam_build_finds_the_code_of_every_function() -> None:
    """It rewrites relative paths of resources, not of Globals."""
    assert {function["Properties"]["CodeUri"] for function in FUNCTIONS.values()} == {"functions/"}
    assert "CodeUri" not in DOCUMENT["Globals"]["Function"]


def test_a_queue_policy_names_the_one_queue_it_is_for() -> None:
    """SQS refuses another, which none of the emulators does."""
    for policy in of_type("AWS::SQS::QueuePolicy").values():
        [queue] = policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Resource"] == {"Fn::GetAtt": [queue["Ref"], "Arn"]}


def test_every_queue_that_a_rule_sends_to_lets_it() -> None:
    may = {
        (policy["Properties"]["Queues"][0]["Ref"], entry["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0])
        for policy in of_type("AWS::SQS::QueuePolicy").values()
        for entry in policy["Properties"]["PolicyDocument"]["Statement"]
    }
    sends = {
        (arn["Fn::GetAtt"][0], name)
        for name, rule in of_type("AWS::Events::Rule").items()
        for target in rule["Properties"]["Targets"]
        for arn in (target["Arn"], target["DeadLetterConfig"]["Arn"])
    }
    assert may == sends


def test_the_environment_holds_names_only() -> None:
    environments = [function["Properties"].get("Environment", {}) for function in FUNCTIONS.values()]
    environments.append(DOCUMENT["Globals"]["Function"]["Environment"])
    names = {name for environment in environments for name in environment.get("Variables", {})}
    assert not [name for name in names if re.search(r"KEY$|TOKEN|SECRET$|PASSWORD", name)]
    assert not [entry for entry in DOCUMENT["Parameters"].values() if entry.get("NoEcho")], (
        "a secret would be a parameter"
    )


def test_what_keeps_data_is_encrypted_and_closed() -> None:
    for table in of_type("AWS::DynamoDB::Table").values():
        assert "SSESpecification" not in table["Properties"], "it is encrypted without, and with it by a key that costs"
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["Properties"]["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    for bucket in of_type("AWS::S3::Bucket").values():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["Properties"]["BucketEncryption"]
        assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    for queue in of_type("AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_the_bucket_is_spoken_to_over_tls_only() -> None:
    [statement] = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "false"}
    # Loopback is the embedded stack; no request reaches S3 from there on AWS.
    assert statement["Condition"]["NotIpAddress"] == {"aws:SourceIp": "127.0.0.0/8"}


def test_browsers_may_read_what_a_redirect_leads_them_to() -> None:
    """Where pages of other origins may call the API at all. They send headers of their clients' own."""
    condition, api, _ = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert condition == "AnswersOtherOrigins"
    assert set(api["AllowHeaders"]) == {"authorization", "*"}
    [rule] = bucket_rules("AnswersOtherOrigins")[1:]
    assert (rule["AllowedOrigins"], rule["AllowedHeaders"], rule["AllowedMethods"]) == (["*"], ["*"], ["GET", "HEAD"])


def bucket_rules(condition: str) -> list[Any]:
    """What the bucket tells browsers where this condition holds."""
    _, bucket, _ = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
    return [rule["Fn::If"][1] for rule in bucket["CorsRules"] if rule["Fn::If"][0] == condition]


def test_the_studio_may_send_pictures_from_the_gateways_own_addresses() -> None:
    [rule] = bucket_rules("ShowsStudio")
    api, public = rule["AllowedOrigins"]
    assert api == DOCUMENT["Outputs"]["ApiUrl"]["Value"]
    assert public["Fn::If"][:2] == ["WithPublicUrl", {"Ref": "PublicUrl"}]
    assert (rule["AllowedMethods"], "AllowedHeaders" in rule) == (["POST"], False)
    [named] = bucket_rules("AnswersOtherOrigins")[:1]
    assert (named["AllowedOrigins"], named["AllowedMethods"]) == ({"Ref": "CorsOrigins"}, ["POST"])
    assert DOCUMENT["Conditions"]["BucketAnswersPages"] == {
        "Fn::Or": [{"Condition": "AnswersOtherOrigins"}, {"Condition": "ShowsStudio"}]
    }


def test_every_rule_of_the_buckets_lifecycle_says_for_what_it_is() -> None:
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Id"]: rule["Prefix"] for rule in rules} == {
        "images": "images/",
        "inputs": "inputs/",
        "uploads": "uploads/",
        "answers": "answers/",
        "leftovers": "",
    }


def test_webhooks_cannot_take_the_accounts_executions() -> None:
    parameter = DOCUMENT["Parameters"]["DeliverConcurrency"]
    assert (parameter["MinValue"], parameter["Default"]) == (2, 3), "SQS takes no less; a new account has 10 in all"
    mapping = RESOURCES["DeliverMapping"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "DeliverConcurrency"}}
    assert mapping["BatchSize"] == 1
    assert RESOURCES["DeliverFunction"]["Properties"]["Timeout"] > LEASE_SECONDS


def test_waiting_for_a_turn_does_not_use_up_a_messages_receipts() -> None:
    receipts = RESOURCES["WebhookQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    assert sum(turn_wait(receives) for receives in range(1, receipts // 2)) > 86_400, "a day of others' turns"


def test_no_arn_is_of_one_partition_only() -> None:
    """China and GovCloud have their own."""
    for path in (TEMPLATE, *(TEMPLATE.parent / "infra").glob("*.yaml")):
        assert "arn:aws:" not in path.read_text()


@pytest.mark.parametrize("state", [name for name, other in WORKFLOW["States"].items() if other["Type"] == "Task"])
def test_the_workflow_names_nothing_that_the_template_does_not_put_in(state: str) -> None:
    given = RESOURCES["Workflow"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", json.dumps(WORKFLOW["States"][state]))) <= set(given)


@pytest.mark.parametrize("part", ["Api", "Wait", "Submit", "Poll"])
def test_nothing_is_set_aside_unless_asked_for(part: str) -> None:
    """A new account's quota of 10 cannot be divided: the template has to deploy there as it is."""
    assert DOCUMENT["Parameters"][f"{part}Concurrency"]["Default"] == 0
    assert DOCUMENT["Conditions"][f"Bounds{part}"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": f"{part}Concurrency"}, "0"]}]
    }
    reserved = FUNCTIONS[f"{part}Function"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": [f"Bounds{part}", {"Ref": f"{part}Concurrency"}, {"Ref": "AWS::NoValue"}]}


def test_the_long_hold_address_is_asked_for_and_bounded() -> None:
    """It has no throttle in front of it and every request may last 15 minutes: the bound is what a flood can cost."""
    assert DOCUMENT["Parameters"]["LongHold"]["Default"] == "off"
    bound = DOCUMENT["Parameters"]["LongHoldConcurrency"]
    assert (bound["MinValue"], bound["Default"] <= 50) == (1, True)
    assert FUNCTIONS["HoldFunction"]["Properties"]["ReservedConcurrentExecutions"] == {"Ref": "LongHoldConcurrency"}
    parts = [name for name, resource in RESOURCES.items() if resource.get("Condition") == "HoldsLong"]
    assert {"HoldFunction", "HoldUrl", "HoldLog", "HoldUrlPermission"} <= set(parts)
    assert not [name for name in RESOURCES if name.startswith("Hold") and name not in parts]


def test_the_long_hold_address_answers_before_lambda_stops_it() -> None:
    seconds = DOCUMENT["Parameters"]["LongHoldSeconds"]
    assert seconds["MaxValue"] <= FUNCTIONS["HoldFunction"]["Properties"]["Timeout"] - 60
    given = FUNCTIONS["HoldFunction"]["Properties"]["Environment"]["Variables"]
    assert given["HOLD_SECONDS"] == {"Ref": "LongHoldSeconds"}


def test_the_long_hold_address_is_the_api_at_another_address() -> None:
    hold, api = FUNCTIONS["HoldFunction"]["Properties"], FUNCTIONS["ApiFunction"]["Properties"]
    assert hold["Policies"] == api["Policies"]
    assert api["Environment"]["Variables"].items() <= hold["Environment"]["Variables"].items()
    _, of_url, _ = RESOURCES["HoldUrl"]["Properties"]["Cors"]["Fn::If"]
    _, of_api, _ = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert {**of_api, "ExposeHeaders": []} == {**of_url, "ExposeHeaders": []}
    assert set(of_url["ExposeHeaders"]) <= set(of_api["ExposeHeaders"])


def test_the_long_hold_address_is_called_by_its_url_only() -> None:
    rights = {
        resource["Properties"]["Action"]: resource["Properties"]
        for resource in of_type("AWS::Lambda::Permission").values()
        if resource["Properties"]["FunctionName"] == {"Ref": "HoldFunction"}
    }
    assert rights["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert rights["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    assert len(rights) == 2


def test_the_api_is_throttled_and_every_parameter_says_what_it_is() -> None:
    settings = RESOURCES["ApiStage"]["Properties"]["DefaultRouteSettings"]
    assert settings == {
        "ThrottlingRateLimit": {"Ref": "ApiRequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "ApiBurst"},
    }
    assert all(entry["Description"] for entry in DOCUMENT["Parameters"].values())


@pytest.mark.parametrize("state", [name for name, other in WORKFLOW["States"].items() if other["Type"] == "Task"])
def test_a_step_waits_until_lambda_takes_it(state: str) -> None:
    """Waiting requests may take all of a small account's concurrency for half a minute, and Lambda may be out of
    order for minutes; neither breaks anything down."""
    first = WORKFLOW["States"][state]["Retry"][0]
    assert set(first["ErrorEquals"]) == OUTAGES
    assert (first["MaxAttempts"] - 5) * first["MaxDelaySeconds"] / 2 >= 600, "on average, with full jitter"


def test_the_key_that_signs_is_of_the_two_functions_that_store_pictures_and_only_while_they_sign() -> None:
    named = {name for name, entry in RESOURCES.items() if "kms:Sign" in str(entry) or "/signing" in str(entry)}
    assert named == {"SigningPolicy", "SigningKeyPolicy", "SubmitFunction", "PollFunction"}
    read, sign = RESOURCES["SigningPolicy"], RESOURCES["SigningKeyPolicy"]
    assert read["Condition"] == RESOURCES["C2paLayer"]["Condition"] == "Signs"
    assert sign["Condition"] == "SignsWithKms"
    for policy in (read, sign):
        assert [role["Ref"] for role in policy["Properties"]["Roles"]] == ["SubmitFunctionRole", "PollFunctionRole"]
    [read], [sign] = (policy["Properties"]["PolicyDocument"]["Statement"] for policy in (read, sign))
    assert read["Action"] == "ssm:GetParameter"
    assert sign == {"Effect": "Allow", "Action": "kms:Sign", "Resource": {"Ref": "SigningKeyArn"}}
    assert DOCUMENT["Parameters"]["Signing"]["Default"] == "off"
    layered = {
        name for name, entry in RESOURCES.items() if "C2paLayer" in str(entry.get("Properties", {}).get("Layers"))
    }
    assert layered == {"SubmitFunction", "PollFunction"}


def test_bedrock_is_the_submit_functions_alone_and_only_while_it_is_used() -> None:
    """The Marketplace's right cannot be bound to a product; so it is bound to calls that Bedrock makes."""
    named = {name for name, entry in RESOURCES.items() if "bedrock:" in str(entry) or "aws-marketplace:" in str(entry)}
    assert named == {"BedrockPolicy"}
    policy = RESOURCES["BedrockPolicy"]
    assert (policy["Condition"], policy["Properties"]["Roles"]) == ("UsesBedrock", [{"Ref": "SubmitFunctionRole"}])
    assert DOCUMENT["Parameters"]["BedrockRegion"]["Default"] == ""
    invoke, subscribe = policy["Properties"]["PolicyDocument"]["Statement"]
    assert listed(invoke["Action"]) == ["bedrock:InvokeModel"]
    assert str(invoke["Resource"]).endswith("::foundation-model/stability.*'}")
    assert subscribe["Condition"] == {"StringEquals": {"aws:CalledViaLast": "bedrock.amazonaws.com"}}
