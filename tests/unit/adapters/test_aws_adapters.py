"""The AWS adapters against moto."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.auth
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

from imagegate.adapters import dynamodb_listing, s3_images
from imagegate.adapters.aws import client as client_of
from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_operations import DynamoDBOperations, _item, is_operation, operation_of
from imagegate.adapters.s3_images import S3Images, s3_client
from imagegate.adapters.ssm_secrets import SsmSecrets
from imagegate.adapters.step_functions_workflow import StepFunctionsWorkflow
from imagegate.deployment.storage import INPUT_DAYS
from imagegate.domain.errors import Conflict
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.coalescing import Claim, Claimed
from imagegate.domain.operation.document import dumps
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.listing import Page, Query
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.stack.packaging import load_yaml
from imagegate.usecases.update import UpdateWithRetry
from support.fakes import FakeClock
from support.stack_settings import MONITORING, TEMPLATE

REGION = "eu-central-1"
DAYS = {"images": 7.0, "inputs": 2.0}
pytestmark = pytest.mark.usefixtures("mocked_aws")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> DynamoDBOperations:
    client = boto3.client("dynamodb")
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    client.create_table(
        TableName="operations",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        KeySchema=[key],  # type: ignore[list-item]
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "owner",
                "KeySchema": [
                    {"AttributeName": "owner", "KeyType": "HASH"},
                    {"AttributeName": "id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "model"]},
            },
        ],
    )
    return DynamoDBOperations(client, "operations", 30, clock.now)


def operation(now: float = 1_800_000_000.0, **changes: Any) -> Operation:
    request = ImageRequest(model="flux", messages=(Message("кот"),))
    made = Operation(
        id=new_id(now),
        owner="me",
        dialect="openai_images",
        request=request,
        created_at=now,
        deadline=now + 9,
        due_at=now + 60,
    )
    return replace(made, **changes)


def test_an_operation_comes_back_as_it_was_written(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    assert store.get(one.id) == one
    assert store.get(one.id, consistent=True) == one
    assert store.get("0" * 20) is None


def test_an_id_is_written_once(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    with pytest.raises(Conflict):
        store.create(replace(one, owner="you"))


def test_only_the_next_version_is_written(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    store.replace(replace(one, version=2))
    for version in (1, 2, 4):
        with pytest.raises(Conflict):
            store.replace(replace(one, version=version))


def test_a_version_of_nothing_is_not_written(store: DynamoDBOperations) -> None:
    with pytest.raises(Conflict):
        store.replace(replace(operation(), version=2))


def test_retention_ends_on_time_although_ttl_deletes_late(store: DynamoDBOperations, clock: FakeClock) -> None:
    one = operation()
    store.create(one)
    clock.time += 30 * 86_400 + 1
    assert store.get(one.id) is None


def test_a_retry_begins_the_retention_anew(store: DynamoDBOperations, clock: FakeClock) -> None:
    """Tried again on its last day, it vanished while it ran; its place among those under way was never given back."""
    one = operation()
    store.create(one)
    clock.time += 30 * 86_400 - 600
    failed = replace(one.moved(State.FAILED, clock.time), version=2)
    store.replace(failed)
    store.replace(replace(failed.moved(State.QUEUED, clock.time), version=3, deadline=clock.time + 900))
    clock.time += 86_400
    assert store.get(one.id) is not None


def test_nothing_is_gone_while_it_may_run(clock: FakeClock, store: DynamoDBOperations) -> None:
    short = DynamoDBOperations(boto3.client("dynamodb"), "operations", 0.01, clock.now)
    one = operation(deadline=clock.time + 86_400)
    short.create(one)
    clock.time += 86_400
    assert short.get(one.id) == one


def answer_lost(client: Any) -> None:
    """Let the next PutItem be repeated though it was done: its answer did not arrive."""

    def repeat_once(attempts: int, **_: Any) -> float | None:
        return 0.0 if attempts == 1 else None

    client.meta.events.register_first("needs-retry.dynamodb.PutItem", repeat_once)


def test_a_new_operation_is_accepted_though_the_answer_was_lost(clock: FakeClock, store: DynamoDBOperations) -> None:
    """The repetition met what the first try had written: the caller was refused, and the operation ran."""
    client = boto3.client("dynamodb")
    answer_lost(client)
    one = operation()
    DynamoDBOperations(client, "operations", 30, clock.now).create(one)
    assert store.get(one.id) == one


class Entangled:
    """A client whose next single write meets a transaction on the same item."""

    def __init__(self, method: str) -> None:
        self.client = boto3.client("dynamodb")
        self.left = {method: 1}

    def __getattr__(self, name: str) -> Any:
        if self.left.pop(name, 0):
            raise self.client.exceptions.TransactionConflictException({"Error": {"Code": "TransactionConflict"}}, name)
        return getattr(self.client, name)


def test_single_writes_that_meet_a_transaction_are_tried_again(clock: FakeClock, store: DynamoDBOperations) -> None:
    """DynamoDB refuses them; a ticket that was not written for that would have been paid for in vain."""
    one = operation(claim="key#x")
    store.create(one)

    def through(method: str) -> DynamoDBOperations:
        return DynamoDBOperations(Entangled(method), "operations", 30, clock.now)

    written = UpdateWithRetry(store=through("put_item"), clock=clock)(
        one, lambda current: replace(current, model="other"), sweep_after=60
    )
    assert store.get(one.id) == written
    with pytest.raises(Conflict):
        through("delete_item").delete(written)


def test_an_item_that_cannot_be_read_is_logged_and_passed_over(
    store: DynamoDBOperations, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable, one = operation(), operation()
    for each in (unreadable, one):
        store.create(each)
    boto3.client("dynamodb").update_item(
        TableName="operations",
        Key={"pk": {"S": f"op#{unreadable.id}"}},
        UpdateExpression="SET body = :nonsense",
        ExpressionAttributeValues={":nonsense": {"S": '{"from":"the future"}'}},
    )
    assert [found.id for found in chain.from_iterable(store.due(1_800_000_000.0 + 60))] == [one.id]
    assert unreadable.id in caplog.text


def test_due_are_the_open_ones_whose_time_has_come(store: DynamoDBOperations) -> None:
    many = [operation(1_800_000_000.0 + at) for at in range(40)]
    for entry in many:
        store.create(entry)
    ended = replace(many[0].moved(State.FAILED, 1.0), version=2)
    store.replace(ended)
    due = {entry.id for entry in chain.from_iterable(store.due(1_800_000_000.0 + 60 + 19.5))}
    assert due == {operation.id for operation in many[1:20]}


NOW = 1_800_000_000.0
KEPT = Attempt(
    number=1,
    provider="alpha",
    model="m",
    slots=(0,),
    state=AttemptState.SUBMITTED,
    started_at=NOW,
    ticket={"job": 1},
    keep_until=NOW + 1000,
)
SENDING = Attempt(
    number=1,
    provider="alpha",
    model="m",
    slots=(0,),
    state=AttemptState.SUBMITTING,
    started_at=NOW,
    lease_until=NOW + 50,
)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
@pytest.mark.parametrize(
    ("attempt", "looked_after"),
    [
        (KEPT, True),
        (replace(KEPT, state=AttemptState.FAILED), False),
        (SENDING, True),
        (replace(SENDING, state=AttemptState.UNKNOWN), False),
    ],
)
def test_the_jobs_of_an_ended_operation_are_looked_after(
    store: DynamoDBOperations, state: State, attempt: Attempt, looked_after: bool
) -> None:
    """A late picture is brought home, a cancelled job stopped, a dead submitter's attempt called unknown."""
    one = operation(NOW)
    store.create(one)
    store.replace(replace(one.with_attempt(attempt).moved(state, NOW), version=2, updated_at=NOW))
    assert len(list(chain.from_iterable(store.due(NOW + 500)))) == looked_after


def test_stream_images_are_read_like_items(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    item = boto3.client("dynamodb").get_item(TableName="operations", Key={"pk": {"S": f"op#{one.id}"}})["Item"]
    assert operation_of(item) == one  # type: ignore[arg-type]
    assert is_operation({"pk": {"S": "op#x"}})
    assert not is_operation({"pk": {"S": "same#x"}})


@pytest.fixture
def images() -> S3Images:
    client = s3_client(REGION)
    client.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3Images(lambda: client, "pictures", 600, DAYS)


def test_pictures_are_stored_with_their_type_and_come_back(images: S3Images) -> None:
    images.put("images/a", b"bytes", "image/webp")
    assert images.get("images/a", 0.0) == b"bytes"
    assert boto3.client("s3").head_object(Bucket="pictures", Key="images/a")["ContentType"] == "image/webp"
    with pytest.raises(KeyError):
        images.get("images/none", 0.0)


def test_a_stored_picture_is_never_overwritten(images: S3Images) -> None:
    images.put("images/a", b"first", "image/webp")
    images.put("images/a", b"second", "image/webp")
    assert images.get("images/a", 0.0) == b"first"


def test_what_is_used_again_is_written_again_and_its_days_begin_anew(images: S3Images) -> None:
    images.put("inputs/a", b"first", "image/png", overwrite=True)
    images.put("inputs/a", b"second", "image/png", overwrite=True)
    assert images.get("inputs/a", 0.0) == b"second"


def test_a_drawing_is_handed_out_as_an_attachment(images: S3Images) -> None:
    images.put("images/a", b"<svg/>", "image/svg+xml")
    images.put("images/b", b"bytes", "image/png")
    client = s3_client(REGION)
    stored = [client.head_object(Bucket="pictures", Key=key)["ContentDisposition"] for key in ("images/a", "images/b")]
    assert stored == ["attachment", "inline"]


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[S3Images, Stubber]]:
    """Pictures in a stubbed bucket, without sleeps."""
    monkeypatch.setattr(s3_images.time, "sleep", lambda seconds: None)
    client = s3_client(REGION)
    with Stubber(client) as stubber:
        yield S3Images(lambda: client, "pictures", 600, DAYS), stubber
        stubber.assert_no_pending_responses()


PUT = {"Bucket": "pictures", "Key": "images/a", "Body": b"bytes", "ContentType": "image/png", "ContentDisposition": ANY}
ONCE = PUT | {"IfNoneMatch": "*"}


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
@pytest.mark.parametrize(
    ("key", "days_ago", "rings"),
    [("images/a", 6.9, True), ("images/a", 7.1, False), ("inputs/a", 1.9, True), ("inputs/a", 2.1, False)],
)
def test_what_is_gone_is_gone_also_to_those_who_may_not_list(
    stubbed: tuple[S3Images, Stubber], caplog: pytest.LogCaptureFixture, code: str, status: int, key: str,
    days_ago: float, rings: bool,
) -> None:  # fmt: skip
    """The key is logged, and an alarm hears of what must still be there: S3 denies all that a broken policy forbids."""
    images, stubber = stubbed
    stubber.add_client_error("get_object", code, http_status_code=status)
    with pytest.raises(KeyError):
        images.get(key, time.time() - days_ago * 86_400)
    [line] = caplog.messages
    assert key in line
    assert code in line
    pattern = load_yaml(MONITORING)["Resources"]["ApiUnreadable"]["Properties"]["FilterPattern"]
    assert (pattern.strip('"') in line) is rings


def test_the_bucket_keeps_objects_for_as_long_as_is_said() -> None:
    rules = load_yaml(TEMPLATE)["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule.get("ExpirationInDays") for rule in rules}
    assert days["images/"] == {"Ref": "ImageDays"}
    assert days["inputs/"] == INPUT_DAYS


def test_a_bucket_that_is_not_there_is_no_missing_picture(stubbed: tuple[S3Images, Stubber]) -> None:
    images, stubber = stubbed
    stubber.add_client_error("get_object", "NoSuchBucket", http_status_code=404)
    with pytest.raises(ClientError):
        images.get("images/a", 0.0)


def test_of_two_puts_at_once_the_one_refused_comes_again(stubbed: tuple[S3Images, Stubber]) -> None:
    images, stubber = stubbed
    stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409, expected_params=ONCE)
    stubber.add_client_error("put_object", "PreconditionFailed", http_status_code=412, expected_params=ONCE)
    images.put("images/a", b"bytes", "image/png")


def test_a_picture_is_never_called_stored_when_it_may_not_be(stubbed: tuple[S3Images, Stubber]) -> None:
    images, stubber = stubbed
    for _ in range(4):
        stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    with pytest.raises(ClientError):
        images.put("images/a", b"bytes", "image/png")


def test_putting_anew_asks_for_no_condition(stubbed: tuple[S3Images, Stubber]) -> None:
    images, stubber = stubbed
    stubber.add_response("put_object", {}, PUT)
    images.put("images/a", b"bytes", "image/png", overwrite=True)


def test_bytes_that_were_paid_for_are_put_many_times_before_they_are_lost() -> None:
    assert s3_client(REGION).meta.config.retries["total_max_attempts"] == 8


def test_no_call_of_the_front_outlasts_the_thirty_seconds_of_the_gateway() -> None:
    config = client_of("dynamodb").meta.config
    pauses = sum(2.0**attempt for attempt in range(config.retries["total_max_attempts"] - 1))
    assert config.retries["total_max_attempts"] * config.read_timeout + pauses < 30
    assert config.tcp_keepalive


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_presigned_urls_are_signature_4_on_the_regional_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    parts = urlsplit(S3Images(lambda: s3_client(region), "pictures", 600, DAYS).presign("images/a"))
    query = parse_qs(parts.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["600"]
    assert parts.netloc == f"pictures.s3.{region}.amazonaws.com"


@pytest.mark.parametrize(("seconds", "steady"), [(3600, 300), (600, 300), (60, 30)])
def test_a_picture_keeps_its_url_for_some_minutes(monkeypatch: pytest.MonkeyPatch, seconds: int, steady: int) -> None:
    images = S3Images(lambda: s3_client("eu-central-1"), "pictures", seconds, DAYS)

    def presigned(moment: float) -> str:
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(moment, UTC))
        return images.presign("images/a")

    began = 1_800_000_000
    assert presigned(began + steady - 1) == presigned(began) != presigned(began + steady)
    [signed_at] = parse_qs(urlsplit(presigned(began + 1)).query)["X-Amz-Date"]
    assert signed_at == "20270115T080000Z"


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def test_a_run_starts_once() -> None:
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    arn = client.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    workflow = StepFunctionsWorkflow(client, arn)
    workflow.start("op1", "op1")
    workflow.start("op1", "op1")
    [execution] = client.list_executions(stateMachineArn=arn)["executions"]
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"id": "op1"}


MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:m"


def refusing(error: Exception) -> StepFunctionsWorkflow:
    """A workflow behind a service that answers every start so."""

    class Client:
        def start_execution(self, **_: Any) -> None:
            raise error

    return StepFunctionsWorkflow(Client(), MACHINE)


def refusal(code: str, status: int = 400) -> ClientError:
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "StartExecution")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal("ThrottlingException"), "ThrottlingException"),
        (refusal("ExecutionLimitExceeded"), "ExecutionLimitExceeded"),
        (refusal("ServiceUnavailable", 503), "ServiceUnavailable"),
        (refusal("InternalFailure", 500), "InternalFailure"),
        (EndpointConnectionError(endpoint_url="https://states.invalid"), "EndpointConnectionError"),
        (ConnectTimeoutError(endpoint_url="https://states.invalid"), "ConnectTimeoutError"),
        (ReadTimeoutError(endpoint_url="https://states.invalid"), "ReadTimeoutError"),
        (ConnectionClosedError(endpoint_url="https://states.invalid"), "ConnectionClosedError"),
    ],
)
def test_what_cannot_be_started_now_is_left_to_sweep(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not refusing(error).start("op1", "op1-2")
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "op1" in record.message
    assert code in record.message


@pytest.mark.parametrize(
    "error", [refusal("AccessDeniedException"), refusal("StateMachineDoesNotExist"), NoCredentialsError()], ids=repr
)
def test_what_no_sweep_can_start_breaks_down(error: Exception) -> None:
    with pytest.raises((ClientError, BotoCoreError)):
        refusing(error).start("op1", "op1")


@pytest.mark.parametrize("one_by_one", [False, True])
def test_secrets_are_read_once_absence_included(one_by_one: bool) -> None:
    client = boto3.client("ssm")
    client.put_parameter(Name="/imagegate/dev/HF_TOKEN", Value="hf_1", Type="SecureString")
    secrets = SsmSecrets(lambda: client, "/imagegate/dev/", one_by_one=one_by_one)
    assert secrets.get("HF_TOKEN") == "hf_1"
    assert secrets.get("OTHER") is None
    client.put_parameter(Name="/imagegate/dev/HF_TOKEN", Value="hf_2", Type="SecureString", Overwrite=True)
    client.put_parameter(Name="/imagegate/dev/OTHER", Value="x", Type="SecureString")
    assert (secrets.get("HF_TOKEN"), secrets.get("OTHER")) == ("hf_1", None)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_secret_that_was_not_there_is_found_soon_after_it_was_set(
    one_by_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, client = FakeClock(), boto3.client("ssm")
    monkeypatch.setattr("imagegate.adapters.ssm_secrets.time", SimpleNamespace(monotonic=clock.now))
    secrets = SsmSecrets(lambda: client, "/imagegate/dev/", one_by_one=one_by_one, absence_seconds=10)
    assert secrets.get("OTHER") is None
    client.put_parameter(Name="/imagegate/dev/OTHER", Value="x", Type="SecureString")
    clock.sleep(9)
    assert secrets.get("OTHER") is None
    clock.sleep(2)
    assert secrets.get("OTHER") == "x"


def test_more_secrets_than_fit_into_one_answer_are_read() -> None:
    client = boto3.client("ssm")
    for number in range(23):
        client.put_parameter(Name=f"/imagegate/dev/KEY_{number}", Value=f"value {number}", Type="SecureString")
    client.put_parameter(Name="/imagegate/devil/KEY_99", Value="another stage's", Type="SecureString")
    secrets = SsmSecrets(lambda: client, "/imagegate/dev")
    assert [secrets.get(f"KEY_{number}") for number in range(23)] == [f"value {number}" for number in range(23)]
    assert secrets.get("KEY_99") is None


def claiming(same: str = "key#me#abc", **changes: Any) -> Operation:
    return operation(claim=same, **changes)


def test_a_key_has_one_holder(store: DynamoDBOperations) -> None:
    first, second = claiming(), claiming()
    store.create(first)
    with pytest.raises(Claimed) as caught:
        store.create(second)
    assert caught.value.claim == Claim(first.id)
    assert store.get(second.id) is None
    store.create(claiming("key#me#other"))


def test_a_holder_is_replaced_only_by_name(store: DynamoDBOperations) -> None:
    first, second, third = claiming(), claiming(), claiming()
    store.create(first)
    store.create(second, over=first.id)
    with pytest.raises(Claimed) as caught:
        store.create(third, over=first.id)
    assert caught.value.claim.operation_id == second.id


def test_a_claim_that_has_run_out_is_free(store: DynamoDBOperations, clock: FakeClock) -> None:
    store.create(claiming())
    clock.time += 100_000
    store.create(claiming())


def test_an_id_that_is_taken_is_a_conflict_also_with_a_key(store: DynamoDBOperations) -> None:
    first = claiming()
    store.create(replace(first, claim=None))
    with pytest.raises(Conflict):
        store.create(first)


def test_a_record_is_deleted_only_as_it_is_known(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    with pytest.raises(Conflict):
        store.delete(replace(one, version=2))
    store.delete(one)
    assert store.get(one.id) is None


@pytest.fixture
def listing(store: DynamoDBOperations, clock: FakeClock) -> DynamoDBListing:
    for at in range(250):
        state = State.FAILED if at % 50 == 0 else State.QUEUED
        store.create(operation(1_800_000_000.0 + at, model="flux" if at % 2 else "art", state=state))
    store.create(operation(owner="you"))
    return DynamoDBListing(boto3.client("dynamodb"), "operations", clock.now)


def pages(listing: DynamoDBListing, **filters: Any) -> list[Page]:
    found = [listing.page(Query(owner="me", **filters))]
    while found[-1].next_before_id:
        found.append(listing.page(Query(owner="me", **filters, before_id=found[-1].next_before_id)))
    return found


@pytest.mark.parametrize("size", [7, 50, 100])
def test_pages_hold_each_operation_once_newest_first(listing: DynamoDBListing, size: int) -> None:
    found = pages(listing, size=size)
    ids = [operation.id for page in found for operation in page.operations]
    assert len(ids) == 250
    assert ids == sorted(set(ids), reverse=True)
    assert all(len(page.operations) == size for page in found[:-1])


def test_filters_find_the_few_among_the_many(listing: DynamoDBListing) -> None:
    [page] = pages(listing, state=State.FAILED)
    assert len(page.operations) == 5
    ids = [operation.id for page in pages(listing, model="art", size=40) for operation in page.operations]
    assert len(ids) == 125


def test_a_list_asks_no_more_however_much_others_have(listing: DynamoDBListing) -> None:
    calls: list[str] = []
    events = listing._client.meta.events
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    assert len(listing.page(Query(owner="you")).operations) == 1
    assert calls == ["Query", "BatchGetItem"]
    calls.clear()
    assert listing.page(Query(owner="unknown")).operations == ()
    assert calls == ["Query"]


def test_a_state_that_no_operation_has_is_looked_for_among_some_of_the_newest(
    listing: DynamoDBListing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb_listing, "_READ_PER_CALL", 10)
    store = DynamoDBOperations(listing._client, listing._table, 30, listing._now)
    for number in range(60):
        store.create(operation(owner="many", id=f"{number:020}"))
    calls: list[str] = []
    listing._client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    page = listing.page(Query(owner="many", state=State.FAILED, size=5))
    assert page == Page((), f"{14:020}")
    assert calls == ["Query", "BatchGetItem"] * 5
    rest = Query(owner="many", state=State.FAILED, size=5, before_id=page.next_before_id)
    assert listing.page(rest) == Page(())


def test_items_that_hold_their_state_are_listed_by_it_too(listing: DynamoDBListing) -> None:
    """As they were written before docs/adr/0033."""
    failed = operation(owner="old", state=State.FAILED)
    item = {**_item(failed, listing._now() + 60), "state": {"S": "failed"}}
    listing._client.put_item(TableName=listing._table, Item=item)
    assert listing.page(Query(owner="old", state=State.FAILED)) == Page((failed,))


def test_a_change_of_state_changes_nothing_in_the_index_of_owners() -> None:
    """Each entry changed is a write, and a partition takes 1,000 a second."""
    table = load_yaml(TEMPLATE)["Resources"]["Table"]["Properties"]
    [index] = [each for each in table["GlobalSecondaryIndexes"] if each["IndexName"] == "owner"]
    projected = {"pk", "owner", "id", *index["Projection"]["NonKeyAttributes"]}
    before = operation()
    after = replace(before, state=State.SUCCEEDED, version=9, ended_at=before.created_at + 1)
    entries = [{name: _item(each, 1)[name] for name in projected & _item(each, 1).keys()} for each in (before, after)]
    assert entries[0] == entries[1]
    assert "model" in entries[0]


def test_a_span_of_time(listing: DynamoDBListing) -> None:
    span = {"created_after": 1_800_000_010.0, "created_before": 1_800_000_020.0}
    [page] = pages(listing, **span)
    assert [round(operation.created_at - 1_800_000_000) for operation in page.operations] == list(range(19, 9, -1))
    by_ones = [operation for single in pages(listing, size=1, **span) for operation in single.operations]
    assert by_ones == list(page.operations)
    [empty] = pages(listing, created_after=1_800_000_020.0, created_before=1_800_000_010.0)
    assert empty.operations == ()


def test_lists_leave_out_what_retention_has_ended(listing: DynamoDBListing, clock: FakeClock) -> None:
    clock.time += 30 * 86_400 + 200.5
    assert sum(len(page.operations) for page in pages(listing, size=100)) == 49


def test_deleting_pictures_that_are_gone_is_no_error(images: S3Images) -> None:
    images.put("images/a", b"bytes", "image/webp")
    images.delete(["images/a", "images/b"])
    images.delete([])
    with pytest.raises(KeyError):
        images.get("images/a", 0.0)


@pytest.mark.parametrize("body", ["{", "1", "[]", '{"id":null}'])
def test_whatever_is_wrong_with_an_item_the_others_are_still_due(store: DynamoDBOperations, body: str) -> None:
    broken, one = operation(), operation()
    for each in (broken, one):
        store.create(each)
    rewritten(broken, body)
    assert [found.id for found in chain.from_iterable(store.due(1_800_000_000.0 + 60))] == [one.id]


def rewritten(one: Operation, body: str) -> None:
    """Another body under the same keys of the index, as an index that lags behind the table shows it."""
    boto3.client("dynamodb").update_item(
        TableName="operations",
        Key={"pk": {"S": f"op#{one.id}"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": body}},
    )


@pytest.mark.parametrize("meanwhile", [{"state": State.SUCCEEDED}, {"due_at": 1_800_000_000.0 + 500}])
def test_the_table_counts_where_the_index_lags_behind(store: DynamoDBOperations, meanwhile: dict[str, Any]) -> None:
    one = operation()
    store.create(one)
    rewritten(one, dumps(replace(one, **meanwhile)))
    assert list(chain.from_iterable(store.due(1_800_000_000.0 + 60))) == []


def test_who_decides_on_what_it_reads_reads_what_was_written_last(store: DynamoDBOperations, clock: FakeClock) -> None:
    """The embedded table never lags, so the request is all there is to see."""
    client, sent = boto3.client("dynamodb"), []
    client.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: sent.append(params["ConsistentRead"])
    )
    watched = DynamoDBOperations(client, "operations", 30, clock.now)
    one = operation()
    watched.create(one)
    watched.create(one)  # repeated, as after a lost answer
    assert sent == [True]
    list(chain.from_iterable(watched.due(1_800_000_000.0 + 60)))
    assert sent == [True, True]
    watched.get(one.id, consistent=True)
    watched.get(one.id)
    assert sent == [True, True, True, False]


@pytest.mark.parametrize(("named", "region"), [({"AWS_REGION": "eu-north-1"}, "eu-north-1"), ({}, "eu-west-3")])
def test_the_region_that_the_command_line_is_told_to_set_is_the_one_used(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], region: str
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.delenv("AWS_REGION", raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert client_of.__wrapped__("sqs").meta.region_name == region
