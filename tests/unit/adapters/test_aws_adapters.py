"""The AWS adapters against moto."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.auth
import pytest
from moto import mock_aws

from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_operations import DynamoDBOperations, is_operation, operation_of
from imagegate.adapters.s3_images import S3Images, s3_client
from imagegate.adapters.ssm_secrets import SsmSecrets
from imagegate.adapters.step_functions_workflow import StepFunctionsWorkflow
from imagegate.domain.coalescing import Claim, Claimed
from imagegate.domain.errors import Conflict
from imagegate.domain.ids import new_id
from imagegate.domain.listing import Page, Query
from imagegate.domain.operation import Operation, State
from imagegate.domain.request import ImageRequest, Message
from support.fakes import FakeClock

REGION = "eu-central-1"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> DynamoDBOperations:
    client = boto3.client("dynamodb")
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    client.create_table(
        TableName="t",
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
    return DynamoDBOperations(client, "t", 30, clock.now)


def operation(now: float = 1_800_000_000.0, **changes: Any) -> Operation:
    request = ImageRequest("flux", (Message("кот"),))
    made = Operation(new_id(now), "me", "openai_images", request, created_at=now, deadline=now + 9, due_at=now + 60)
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


def test_due_are_the_open_ones_whose_time_has_come(store: DynamoDBOperations) -> None:
    many = [operation(1_800_000_000.0 + at) for at in range(40)]
    for one in many:
        store.create(one)
    ended = replace(many[0].moved(State.FAILED, 1.0), version=2)
    store.replace(ended)
    due = {one.id for one in store.due(1_800_000_000.0 + 60 + 19.5)}
    assert due == {one.id for one in many[1:20]}


def test_stream_images_are_read_like_items(store: DynamoDBOperations) -> None:
    one = operation()
    store.create(one)
    item = boto3.client("dynamodb").get_item(TableName="t", Key={"pk": {"S": f"op#{one.id}"}})["Item"]
    assert operation_of(item) == one  # type: ignore[arg-type]
    assert is_operation({"pk": {"S": "op#x"}})
    assert not is_operation({"pk": {"S": "same#x"}})


@pytest.fixture
def images() -> S3Images:
    client = s3_client(REGION)
    client.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3Images(client, "pictures", 600)


def test_pictures_are_stored_with_their_type_and_come_back(images: S3Images) -> None:
    images.put("images/a", b"bytes", "image/webp")
    assert images.get("images/a") == b"bytes"
    assert boto3.client("s3").head_object(Bucket="pictures", Key="images/a")["ContentType"] == "image/webp"
    with pytest.raises(KeyError):
        images.get("images/none")


def test_a_stored_picture_is_never_overwritten(images: S3Images) -> None:
    images.put("images/a", b"first", "image/webp")
    images.put("images/a", b"second", "image/webp")
    assert images.get("images/a") == b"first"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_presigned_urls_are_signature_4_on_the_regional_host(region: str) -> None:
    parts = urlsplit(S3Images(s3_client(region), "pictures", 600).presign("images/a"))
    query = parse_qs(parts.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["600"]
    assert parts.netloc == f"pictures.s3.{region}.amazonaws.com"


@pytest.mark.parametrize(("seconds", "steady"), [(3600, 300), (600, 300), (60, 30)])
def test_a_picture_keeps_its_url_for_some_minutes(monkeypatch: pytest.MonkeyPatch, seconds: int, steady: int) -> None:
    images = S3Images(s3_client("eu-central-1"), "pictures", seconds)

    def presigned(moment: float) -> str:
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(moment, UTC))
        return images.presign("images/a")

    began = 1_800_000_000
    assert presigned(began + steady - 1) == presigned(began) != presigned(began + steady)
    [signed_at] = parse_qs(urlsplit(presigned(began + 1)).query)["X-Amz-Date"]
    assert signed_at == "20270115T080000Z"


def test_a_run_starts_once() -> None:
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/r"
    arn = client.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    workflow = StepFunctionsWorkflow(client, arn)
    workflow.start("op1", "op1")
    workflow.start("op1", "op1")
    [execution] = client.list_executions(stateMachineArn=arn)["executions"]
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"id": "op1"}


def test_secrets_are_read_once_absence_included() -> None:
    client = boto3.client("ssm")
    client.put_parameter(Name="/imagegate/dev/HF_TOKEN", Value="hf_1", Type="SecureString")
    secrets = SsmSecrets(client, "/imagegate/dev/")
    assert secrets.get("HF_TOKEN") == "hf_1"
    assert secrets.get("OTHER") is None
    client.put_parameter(Name="/imagegate/dev/HF_TOKEN", Value="hf_2", Type="SecureString", Overwrite=True)
    client.put_parameter(Name="/imagegate/dev/OTHER", Value="x", Type="SecureString")
    assert (secrets.get("HF_TOKEN"), secrets.get("OTHER")) == ("hf_1", None)


def claiming(same: str = "same#me#openai_images#abc", **changes: Any) -> Operation:
    return operation(claim=same, **changes)


def test_a_key_has_one_holder(store: DynamoDBOperations) -> None:
    first, second = claiming(), claiming()
    store.create(first)
    with pytest.raises(Claimed) as caught:
        store.create(second)
    assert caught.value.claim == Claim(first.id, 0)
    assert store.get(second.id) is None
    store.create(claiming("same#me#openai_images#other"))


def test_a_holder_is_replaced_only_by_name(store: DynamoDBOperations) -> None:
    first, second, third = claiming(), claiming(), claiming()
    store.create(first)
    store.create(second, over=first.id)
    with pytest.raises(Claimed) as caught:
        store.create(third, over=first.id)
    assert caught.value.claim.operation_id == second.id


def test_a_claim_that_has_run_out_is_free(store: DynamoDBOperations, clock: FakeClock) -> None:
    store.create(claiming())
    clock.time += 10_000
    store.create(claiming())


def test_who_was_put_off_is_counted_on_the_claim(store: DynamoDBOperations) -> None:
    first = claiming()
    store.create(first)
    for change in (+1, +1, -1, -1, -1, +1):
        store.count_waiting(first, change)
    with pytest.raises(Claimed) as caught:
        store.create(claiming())
    assert caught.value.claim.waiting == 1


def test_counting_for_a_former_holder_changes_nothing(store: DynamoDBOperations) -> None:
    first, second = claiming(), claiming()
    store.create(first)
    store.create(second, over=first.id)
    store.count_waiting(first, +1)
    with pytest.raises(Claimed) as caught:
        store.create(claiming())
    assert caught.value.claim == Claim(second.id, 0)


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
    return DynamoDBListing(boto3.client("dynamodb"), "t", clock.now)


def pages(listing: DynamoDBListing, **filters: Any) -> list[Page]:
    found = [listing.page(Query("me", **filters))]
    while found[-1].next_before_id:
        found.append(listing.page(Query("me", **filters, before_id=found[-1].next_before_id)))
    return found


@pytest.mark.parametrize("size", [1, 7, 50, 100])
def test_pages_hold_each_operation_once_newest_first(listing: DynamoDBListing, size: int) -> None:
    found = pages(listing, size=size)
    ids = [one.id for page in found for one in page.operations]
    assert len(ids) == 250
    assert ids == sorted(set(ids), reverse=True)
    assert all(len(page.operations) == size for page in found[:-1])


def test_filters_find_the_few_among_the_many(listing: DynamoDBListing) -> None:
    [page] = pages(listing, state=State.FAILED)
    assert len(page.operations) == 5
    ids = [one.id for page in pages(listing, model="art", size=40) for one in page.operations]
    assert len(ids) == 125


def test_a_list_asks_no_more_however_much_others_have(listing: DynamoDBListing) -> None:
    calls: list[str] = []
    events = listing._client.meta.events
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    assert len(listing.page(Query("you")).operations) == 1
    assert calls == ["Query", "BatchGetItem"]
    calls.clear()
    assert listing.page(Query("nobody")).operations == ()
    assert calls == ["Query"]


def test_a_span_of_time(listing: DynamoDBListing) -> None:
    [page] = pages(listing, created_after=1_800_000_010.0, created_before=1_800_000_020.0)
    assert [round(one.created_at - 1_800_000_000) for one in page.operations] == list(range(19, 9, -1))
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
        images.get("images/a")
