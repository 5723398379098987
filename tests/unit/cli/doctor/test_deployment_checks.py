"""Checks of a deployment in AWS: each fails, and passes after its remedy."""

import base64
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from imagegate.adapters.aws import client
from imagegate.cli.deploy.stack import CloudFormationStack
from imagegate.cli.doctor import (
    alarms,
    bucket,
    clock,
    concurrency,
    credentials,
    presigned,
    providers,
    region,
    signing,
    stack,
    table,
    webhook_key,
)
from imagegate.cli.doctor.examination import STAGE, examine
from imagegate.cli.doctor.finding import Check, Finding, Level
from imagegate.cli.doctor.subject import Subject
from imagegate.domain.errors import MisconfiguredError
from imagegate.providers.reachability import Reachability
from imagegate.providers.registry import stand_in_urls
from support.fake_account import FakeAccount, refusal

NAME = "imagegate-dev"
OUTPUTS = {name: f"the-{name}" for name in stack.OUTPUTS} | {"BucketName": "pictures", "TableName": "operations"}


def subject(account: Any = client, outputs: Mapping[str, str] = OUTPUTS, **more: Any) -> Subject:
    """A deployed stage."""
    made = Subject(stage="dev", clients=account, **more)
    parameters = {"AlarmEmail": "me@example.com"}
    made.stack = CloudFormationStack(
        name=NAME, id=f"arn:{NAME}", status="UPDATE_COMPLETE", parameters=parameters, outputs=outputs
    )
    return made


def worst(check: Check, examined: Subject) -> Finding:
    """The first finding that is not well, or else the last."""
    found = [finding for _, finding in examine(examined, [check])]
    return next((finding for finding in found if finding.level is not Level.OK), found[-1])


def fails(check: Check, examined: Subject, remedy: str, level: Level = Level.ERROR) -> None:
    found = worst(check, examined)
    assert found.level is level, found
    assert remedy in found.remedy, found


def passes(check: Check, examined: Subject) -> None:
    assert worst(check, examined).level is Level.OK, worst(check, examined)


def test_no_region(mocked_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    client.cache_clear()
    fails(region.CHECK, subject(), "Set AWS_REGION")
    monkeypatch.setenv("AWS_REGION", "")
    fails(region.CHECK, subject(), "Set AWS_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    passes(region.CHECK, subject())
    client.cache_clear()


def test_credentials_that_aws_refuses(mocked_aws: None) -> None:
    class Expired(FakeAccount):
        def __call__(self, service: str) -> Any:
            return self

        def get_caller_identity(self) -> None:
            raise refusal("ExpiredToken")

    fails(credentials.CHECK, subject(Expired()), "aws sso login")
    passes(credentials.CHECK, subject(FakeAccount()))


def test_a_small_quota() -> None:
    fails(concurrency.CHECK, subject(FakeAccount(quota=10)), "docs/deploy.md#quotas-to-ask-for", Level.WARNING)
    passes(concurrency.CHECK, subject(FakeAccount()))


@pytest.mark.parametrize(
    ("status", "level", "remedy"),
    [
        ("ROLLBACK_COMPLETE", Level.ERROR, "make deploy STAGE=dev"),
        ("DELETE_FAILED", Level.ERROR, "run this again"),
        ("UPDATE_ROLLBACK_FAILED", Level.ERROR, "run this again"),
        ("UPDATE_ROLLBACK_COMPLETE", Level.WARNING, "make deploy STAGE=dev"),
    ],
)
def test_a_stack_that_is_not_well(status: str, level: Level, remedy: str) -> None:
    examined = subject()
    examined.stack = CloudFormationStack(name=NAME, id=f"arn:{NAME}", status=status, parameters={}, outputs=OUTPUTS)
    fails(stack.CHECK, examined, remedy, level)
    passes(stack.CHECK, subject())


def test_a_stack_that_is_missing_or_old() -> None:
    fails(stack.CHECK, Subject(stage="dev", clients=FakeAccount()), "make deploy")
    fails(stack.CHECK, subject(outputs={"ApiUrl": "https://x"}), "make deploy STAGE=dev")


def _table(**more: Any) -> None:
    boto3.client("dynamodb").create_table(
        TableName="operations",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def test_a_table_that_keeps_everything_and_cannot_be_restored(mocked_aws: None) -> None:
    fails(table.CHECK, subject(), "restore it from its backup")
    _table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    dynamodb = boto3.client("dynamodb")
    fails(table.CHECK, subject(), "aws dynamodb update-time-to-live", Level.WARNING)
    specification = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName="operations", TimeToLiveSpecification=specification)
    fails(table.CHECK, subject(), "aws dynamodb update-continuous-backups", Level.WARNING)
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName="operations", PointInTimeRecoverySpecification=recovery)
    passes(table.CHECK, subject())


def test_a_table_without_a_stream(mocked_aws: None) -> None:
    _table()
    fails(table.CHECK, subject(), "make deploy STAGE=dev")


def test_a_bucket_that_may_be_opened_and_keeps_everything(mocked_aws: None) -> None:
    fails(bucket.CHECK, subject(), "destroy the stage and deploy it again")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    fails(bucket.CHECK, subject(), "aws s3api put-public-access-block --bucket pictures")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    blocks = dict.fromkeys(names, True)
    s3.put_public_access_block(Bucket="pictures", PublicAccessBlockConfiguration=blocks)
    fails(bucket.CHECK, subject(), "make deploy STAGE=dev", Level.WARNING)
    rule = {"ID": "images", "Status": "Enabled", "Prefix": "images/", "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket="pictures", LifecycleConfiguration={"Rules": [rule]})
    passes(bucket.CHECK, subject())


def test_a_presigned_url_that_is_refused_leaves_nothing_behind(mocked_aws: None) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def fetched(url: str) -> tuple[int, bytes, dict[str, str]]:
        key = url.partition("?")[0].partition(".com/")[2]
        return 200, s3.get_object(Bucket="pictures", Key=key)["Body"].read(), {}

    fails(presigned.CHECK, subject(fetch=lambda url: (403, b"", {})), "check its policy")
    passes(presigned.CHECK, subject(fetch=fetched))
    assert "Contents" not in s3.list_objects_v2(Bucket="pictures")


def test_alarms_that_reach_no_one() -> None:
    account = FakeAccount(resources={"AlarmTopic": ("AWS::SNS::Topic", "arn:topic")})
    unset = subject(account)
    unset.stack = CloudFormationStack(
        name=NAME, id=f"arn:{NAME}", status="CREATE_COMPLETE", parameters={}, outputs=OUTPUTS
    )
    fails(alarms.CHECK, unset, "PARAMETERS='AlarmEmail=", Level.WARNING)
    account.subscriptions = {"me@example.com": "PendingConfirmation"}
    fails(alarms.CHECK, subject(account), "Confirm it")
    account.subscriptions = {"me@example.com": "arn:aws:sns:eu-central-1:1:topic:1"}
    passes(alarms.CHECK, subject(account))


def test_a_damaged_webhook_key(mocked_aws: None) -> None:
    fails(webhook_key.CHECK, subject(), "", Level.SKIPPED)
    ssm = boto3.client("ssm")
    for damaged in ("short", base64.b64encode(b"short").decode()):
        ssm.put_parameter(Name="/imagegate/dev/webhooks", Value=damaged, Type="SecureString", Overwrite=True)
        fails(webhook_key.CHECK, subject(), "aws ssm delete-parameter")
    ssm.delete_parameter(Name="/imagegate/dev/webhooks")
    value = base64.b64encode(bytes(32)).decode()
    ssm.put_parameter(Name="/imagegate/dev/webhooks", Value=value, Type="SecureString")
    passes(webhook_key.CHECK, subject())


def test_a_clock_that_aws_would_refuse() -> None:
    class Dated(FakeAccount):
        def __call__(self, service: str) -> Any:
            return self

        def get_caller_identity(self) -> Any:
            return {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 15 Jan 2027 08:00:00 GMT"}}}

    fails(clock.CHECK, subject(Dated(), now=lambda: 0.0), "timedatectl")
    passes(clock.CHECK, subject(Dated(), now=lambda: 1_800_000_000.0))


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Reachability(reached=True, key=True, seconds=0.1, detail="HTTP 200"), Level.OK),
        (Reachability(reached=True, key=None, seconds=0.1, detail="HTTP 404"), Level.OK),
        (Reachability(reached=True, key=False, seconds=0.1, detail="HTTP 401"), Level.ERROR),
        (Reachability(reached=False, key=None, seconds=0.1, detail="refused"), Level.WARNING),
        (MisconfiguredError("no such protocol"), Level.ERROR),
    ],
)
def test_each_provider(
    mocked_aws: None, monkeypatch: pytest.MonkeyPatch, answer: Reachability | Exception, level: Level
) -> None:
    asked: dict[str, Mapping[str, str]] = {}

    def check(table: object, name: str, secrets: object, confine: object, urls: Mapping[str, str]) -> Reachability:
        asked[name] = urls
        if isinstance(answer, Exception):
            raise answer
        return answer

    _table()
    boto3.client("cloudformation")
    monkeypatch.setattr(providers, "check_provider", check)
    monkeypatch.setattr("imagegate.adapters.cloudformation_outputs.outputs", lambda *_: OUTPUTS)
    examined = subject()
    urls = stand_in_urls("https://mine.example.com")
    examined.stack = CloudFormationStack(
        name=NAME,
        id="",
        status="CREATE_COMPLETE",
        parameters={"StandInUrl": "https://mine.example.com"},
        outputs=OUTPUTS,
    )
    before = list(providers.run(examined))
    assert "openai" not in asked
    [keyless] = [finding for finding in before if finding.text.startswith("openai has no key (OPENAI_API_KEY)")]
    assert (keyless.level, "imagegate secrets set OPENAI_API_KEY" in keyless.remedy) == (Level.SKIPPED, True)
    parameter = "/imagegate/dev/upstreams/OPENAI_API_KEY"
    boto3.client("ssm").put_parameter(Name=parameter, Value="sk-x", Type="SecureString")
    after = list(providers.run(examined))
    assert asked["openai"] == urls
    [about] = [finding for finding in after if finding.text.startswith("openai")]
    assert about.level is level
    assert bool(about.remedy) is (level is not Level.OK)


def test_every_check_of_a_deployment_is_tried_here() -> None:
    names = {check.name for check in STAGE}
    tried = {
        module.CHECK.name
        for module in (
            alarms,
            bucket,
            clock,
            concurrency,
            credentials,
            presigned,
            providers,
            region,
            signing,
            stack,
            table,
            webhook_key,
        )
    }
    assert names == tried | {"python"}
