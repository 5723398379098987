"""Keys, the signing secret and upstream credentials against moto."""

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError

from imagegate.adapters.aws_errors import AwsError, in_words
from imagegate.adapters.cloudformation_outputs import outputs
from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys
from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_operations import DynamoDBOperations
from imagegate.adapters.dynamodb_signing_secret import DynamoDBSigningSecret
from imagegate.adapters.ssm_secrets import SsmSecrets
from imagegate.domain.access.api_key import KeyLimits, issue
from imagegate.domain.errors import Conflict, MisconfiguredError
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.listing import Query
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from support.deployed import Formation, operations_table

NOW = 1_800_000_000.0


@pytest.fixture
def table(mocked_aws: None) -> str:
    return operations_table()


@pytest.fixture
def keys(table: str) -> DynamoDBApiKeys:
    return DynamoDBApiKeys(boto3.client("dynamodb"), table)


def test_a_key_comes_back_as_it_was_written(keys: DynamoDBApiKeys) -> None:
    plain, _ = issue("кот", NOW)
    full, _ = issue(
        "full",
        NOW + 1,
        expires_at=NOW + 9,
        models=("flux", "b"),
        limits=KeyLimits(requests_per_minute=1, concurrent=2, pictures_per_day=3, micro_dollars_per_day=4),
        owner="o",
    )
    rotated, _ = full.rotated(NOW, 60)
    for key in (plain, full, rotated, rotated.revoked(NOW)):
        keys.put(key)
        assert keys.get(key.id) == key
    assert keys.get("0" * 12) is None


def test_a_key_is_written_over_its_last_version_only(keys: DynamoDBApiKeys) -> None:
    key, _ = issue("test", NOW)
    for absent in (replace(key, version=2), replace(key, version=0)):
        with pytest.raises(Conflict):
            keys.put(absent)
    keys.put(key)
    revoked = key.revoked(NOW)
    keys.put(revoked)
    rotated_meanwhile, _ = key.rotated(NOW, 0)
    for stale in (key, rotated_meanwhile):
        with pytest.raises(Conflict):
            keys.put(stale)
    assert keys.get(key.id) == revoked


def test_keys_are_listed_and_in_nobodys_list_of_operations(keys: DynamoDBApiKeys, table: str) -> None:
    made = [issue(f"key {at}", NOW + at)[0] for at in range(3)]
    for key in reversed(made):
        keys.put(key)
    client = boto3.client("dynamodb")
    request = ImageRequest(model="flux", messages=(Message("x"),))
    own = Operation(
        id=new_id(NOW),
        owner=made[0].owner,
        dialect="operations",
        request=request,
        created_at=NOW,
        deadline=NOW,
        due_at=NOW,
    )
    DynamoDBOperations(client, table, 30, lambda: NOW).create(own)
    assert list(keys.every()) == made
    listing = DynamoDBListing(client, table, lambda: NOW)
    assert [operation.id for operation in listing.page(Query(owner=made[0].owner)).operations] == [own.id]
    assert listing.page(Query(owner=made[1].owner)).operations == ()


def test_the_table_holds_no_secret_and_ttl_leaves_keys_alone(keys: DynamoDBApiKeys, table: str) -> None:
    key, text = issue("test", NOW, expires_at=NOW)
    keys.put(key)
    [item] = boto3.client("dynamodb").scan(TableName=table)["Items"]
    assert text.rpartition("_")[2] not in str(item)
    assert "expires_at" not in item


def test_the_signing_secret_is_made_once_per_deployment(table: str) -> None:
    client = boto3.client("dynamodb")
    first, second = DynamoDBSigningSecret(client, table), DynamoDBSigningSecret(client, table)
    secret = first()
    assert len(secret) == 32
    assert first() == second() == secret


def test_of_two_who_make_the_signing_secret_at_once_both_get_one(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("dynamodb")
    late = DynamoDBSigningSecret(client, table)
    winner = DynamoDBSigningSecret(client, table)
    read = late._read
    answers = iter([lambda: winner() and b"", read])  # the other one makes it between our look and our write
    monkeypatch.setattr(late, "_read", lambda: next(answers)())
    assert late() == winner()


def test_credentials_are_written_encrypted_and_listed_by_name(table: str) -> None:
    client = boto3.client("ssm")
    secrets = SsmSecrets(lambda: client, "/imagegate/dev")
    assert secrets.names() == []
    secrets.put("OPENAI_API_KEY", "one")
    secrets.put("OPENAI_API_KEY", "two")
    secrets.put("BFL_API_KEY", "three")
    client.put_parameter(Name="/imagegate/prod/OTHER", Value="x", Type="SecureString")
    assert secrets.names() == ["BFL_API_KEY", "OPENAI_API_KEY"]
    assert secrets.get("OPENAI_API_KEY") == "two"
    assert client.get_parameter(Name="/imagegate/dev/OPENAI_API_KEY")["Parameter"]["Type"] == "SecureString"


def test_a_stack_that_is_not_there() -> None:
    client = Formation({"imagegate-dev": {"TableName": "t"}})
    assert outputs(client, "imagegate-dev") == {"TableName": "t"}
    with pytest.raises(MisconfiguredError, match="no stack 'imagegate-prod'"):
        outputs(client, "imagegate-prod")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoRegionError(), "Set AWS_REGION"),
        (EndpointConnectionError(endpoint_url="http://x"), "imagegate serve"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "x"}}, "PutItem"), "Log in again"),
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No: "}}, "PutItem"),
            "No. Use credentials",
        ),
        (ClientError({"Error": {"Code": "Throttled", "Message": "Slow"}}, "PutItem"), r"refused \(Throttled\): Slow\."),
    ],
)
def test_what_aws_refuses_is_said_in_a_sentence(error: Exception, said: str) -> None:
    with pytest.raises(AwsError, match=said), in_words():
        raise error
