"""The layer's copy of botocore's data holds what the functions call, and answers as the whole does."""

import ast
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.session import Session

from trim_botocore import OPERATIONS, trim

pytestmark = pytest.mark.slow

WHOLE = Path(botocore.__file__).parent / "data"
ADAPTERS = Path(__file__).parents[2] / "lib" / "imagegate" / "adapters"
COMMANDS = {"cloudformation_outputs.py", "event_tail.py"}
"""Adapters of the command line, which the functions never load."""
SOURCES = [file for file in ADAPTERS.glob("*.py") if file.name not in COMMANDS]


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("botocore") / "data"
    shutil.copytree(WHOLE, data, ignore=lambda folder, names: {*names} - _needed(folder, names))
    trim(data)
    return data


@cache
def loader(data: Path) -> Loader:
    """Keeps the files that it has parsed."""
    return Loader([str(data)], include_default_search_paths=False)


def client(data: Path, service: str, region: str = "eu-central-1", **options: Any) -> Any:
    session = Session()
    session.register_component("data_loader", loader(data))
    config = Config(retries={"total_max_attempts": 1}, **options)
    return session.create_client(service, region, config=config, aws_access_key_id="a", aws_secret_access_key="s")


KEY = {"pk": {"S": "op#1"}}
PUT = {"TableName": "t", "Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"}
QUEUE = {"QueueUrl": "https://queue.invalid/q"}
OBJECT = {"Bucket": "pictures", "Key": "images/a.png"}
CALLS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "batch_get_item": ("dynamodb", {"RequestItems": {"t": {"Keys": [KEY]}}}),
    "delete_item": ("dynamodb", {"TableName": "t", "Key": KEY}),
    "get_item": ("dynamodb", {"TableName": "t", "Key": KEY, "ConsistentRead": True}),
    "put_item": ("dynamodb", PUT),
    "query": ("dynamodb", {"TableName": "t", "IndexName": "owner", "KeyConditionExpression": "a = :b", "Limit": 3}),
    "transact_write_items": ("dynamodb", {"TransactItems": [{"Put": PUT}], "ClientRequestToken": "t"}),
    "update_item": ("dynamodb", {"TableName": "t", "Key": KEY, "UpdateExpression": "ADD a :b"}),
    "put_events": ("events", {"Entries": [{"Source": "imagegate", "Detail": "{}", "EventBusName": "bus"}]}),
    "invoke": ("lambda", {"FunctionName": "f", "InvocationType": "Event", "Payload": b"{}"}),
    "create_bucket": ("s3", {"Bucket": "pictures"}),
    "delete_objects": ("s3", {"Bucket": "pictures", "Delete": {"Objects": [{"Key": "k"}], "Quiet": True}}),
    "get_object": ("s3", OBJECT),
    "put_object": ("s3", OBJECT | {"Body": b"png", "ContentType": "image/png", "IfNoneMatch": "*"}),
    "change_message_visibility": ("sqs", QUEUE | {"ReceiptHandle": "r", "VisibilityTimeout": 9}),
    "receive_message": ("sqs", QUEUE | {"MaxNumberOfMessages": 10}),
    "send_message": ("sqs", QUEUE | {"MessageBody": "{}", "DelaySeconds": 3}),
    "get_parameter": ("ssm", {"Name": "/n", "WithDecryption": True}),
    "get_parameters_by_path": ("ssm", {"Path": "/n", "Recursive": True}),
    "put_parameter": ("ssm", {"Name": "/n", "Value": "v", "Type": "SecureString"}),
    "start_execution": ("stepfunctions", {"stateMachineArn": "arn:aws:states:m", "name": "n", "input": "{}"}),
    "sign": (
        "kms",
        {"KeyId": "k", "Message": b"m", "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"},
    ),
}


def sent(data: Path, service: str, call: str, parameters: Mapping[str, Any]) -> tuple[str, str, Any, Any]:
    """Method, URL, body and headers of a call."""
    aws, requests = client(data, service), list[Any]()

    def before_send(request: Any, **_: Any) -> AWSResponse:
        requests.append(request)
        return AWSResponse(request.url, 500, {}, RawResponse())

    aws.meta.events.register("before-send", before_send)
    with pytest.raises(ClientError):
        getattr(aws, call)(**parameters)
    [request] = requests
    told = {name: value for name, value in request.headers.items() if name.lower() not in OF_THE_MOMENT}
    return request.method, request.url, getattr(request.body, "read", lambda: request.body)(), told


CALLED_BY = {"generate_presigned_post": "create_bucket"}
"""Calls for which botocore takes the address of another one."""
OF_THE_MOMENT = {"authorization", "x-amz-date", "amz-sdk-invocation-id", "user-agent"}


class RawResponse(io.BytesIO):
    """The body of an answer without one."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Nothing."""
        return iter(())


def names_in(source: Path) -> Iterator[str]:
    """Attributes and words of a module: calls, paginators and presigned calls are among them."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_call_of_an_adapter_is_kept_and_no_other() -> None:
    whole = {xform_name(operation) for service in OPERATIONS for operation in _operations_of(service)}
    called = {CALLED_BY.get(name, name) for source in SOURCES for name in names_in(source)} & whole
    assert called == {xform_name(operation) for operations in OPERATIONS.values() for operation in operations}


def test_every_client_of_a_function_is_kept() -> None:
    made = {
        service
        for source in [*ADAPTERS.glob("*.py"), *(ADAPTERS.parent / "deployment").glob("*.py")]
        if source.name not in COMMANDS
        for service in re.findall(r"client\(\"(\w+)\"", source.read_text())
    }
    assert made == set(OPERATIONS)


def test_commands_alone_load_the_adapters_left_out() -> None:
    for folder in ("deployment", "web", "adapters"):
        for source in (ADAPTERS.parent / folder).rglob("*.py"):
            assert not {f"{Path(name).stem} import" for name in COMMANDS} & set(
                re.findall(r"\w+ import", source.read_text())
            ), source


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_the_calls_have_the_same_parameters_answers_and_errors(trimmed: Path, service: str) -> None:
    whole, kept = client(WHOLE, service), client(trimmed, service)
    for operation in OPERATIONS[service]:
        full, part = (some.meta.service_model.operation_model(operation) for some in (whole, kept))
        assert callable(getattr(kept, xform_name(operation)))
        assert described(part.input_shape) == described(full.input_shape)
        assert described(part.output_shape) == described(full.output_shape)
        assert [shape.name for shape in part.error_shapes] == [shape.name for shape in full.error_shapes]
        assert part.http == full.http
        assert kept.can_paginate(xform_name(operation)) == whole.can_paginate(xform_name(operation))


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "mars-north-7"])
@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_it_is_called_at_the_same_address(trimmed: Path, service: str, region: str) -> None:
    whole, kept = client(WHOLE, service, region), client(trimmed, service, region)
    assert kept.meta.endpoint_url == whole.meta.endpoint_url
    assert kept.meta.config.signature_version == whole.meta.config.signature_version


def test_every_call_is_tried() -> None:
    kept = [(xform_name(name), service) for service, names in OPERATIONS.items() for name in names]
    assert sorted(kept) == sorted((call, service) for call, (service, _) in CALLS.items())


@pytest.mark.parametrize("call", CALLS)
def test_it_sends_the_same(trimmed: Path, call: str) -> None:
    service, parameters = CALLS[call]
    assert sent(trimmed, service, call, parameters) == sent(WHOLE, service, call, parameters)


def test_it_presigns(trimmed: Path) -> None:
    url = client(trimmed, "s3").generate_presigned_url("get_object", {"Bucket": "pictures", "Key": "k"})
    assert url.startswith("https://pictures.s3.")


def test_it_signs_forms(trimmed: Path) -> None:
    options = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}  # as s3_client has them
    clients = [client(data, "s3", **options) for data in (trimmed, WHOLE)]
    forms = [each.generate_presigned_post("pictures", "uploads/k") for each in clients]
    assert forms[0]["url"] == forms[1]["url"] == "https://pictures.s3.eu-central-1.amazonaws.com/"
    assert forms[0]["fields"].keys() == forms[1]["fields"].keys()


def test_every_error_that_an_adapter_expects_is_known(trimmed: Path) -> None:
    expected = {name for source in SOURCES for name in re.findall(r"client\.exceptions\.(\w+)", source.read_text())}
    models = [client(trimmed, service).meta.service_model for service in OPERATIONS]
    assert expected
    assert expected <= {shape.name for model in models for shape in model.error_shapes} | {"ClientError"}


def test_files_that_other_environments_share_stay_as_they_are(tmp_path: Path) -> None:
    shared = shutil.copytree(WHOLE, tmp_path / "shared", ignore=lambda folder, names: {*names} - _needed(folder, names))
    before = {file: file.read_bytes() for file in shared.rglob("*") if file.is_file()}
    trim(shutil.copytree(shared, tmp_path / "data", copy_function=os.link))
    assert {file: file.read_bytes() for file in before} == before


def test_it_is_a_small_part_of_the_whole(trimmed: Path) -> None:
    assert sum(file.stat().st_size for file in trimmed.rglob("*") if file.is_file()) < 400_000
    assert {entry.name for entry in trimmed.iterdir() if entry.is_dir()} == set(OPERATIONS)


def described(shape: Any, seen: tuple[str, ...] = ()) -> Any:
    """A shape with all that it contains, by the names of its members."""
    if shape is None or shape.name in seen:
        return None
    inner = (*seen, shape.name)
    members = {name: described(member, inner) for name, member in getattr(shape, "members", {}).items()}
    for part in ("member", "key", "value"):
        if shape.type_name in ("list", "map") and hasattr(shape, part):
            members[part] = described(getattr(shape, part), inner)
    return shape.type_name, dict(shape.serialization), getattr(shape, "required_members", []), members


def _needed(folder: str, names: Iterable[str]) -> set[str]:
    """What is copied: of botocore's services those that are called, and one that is not."""
    return {name for name in names if Path(folder) != WHOLE or "." in name or name in {*OPERATIONS, "acm"}}


def _operations_of(service: str) -> list[str]:
    return list(client(WHOLE, service).meta.service_model.operation_names)
