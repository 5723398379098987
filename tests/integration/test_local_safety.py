"""The embedded AWS, the stand-ins and the front door beside a browser and beside other users of the machine."""

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from imagegate.local.stack.stack import Stack

pytestmark = pytest.mark.slow

EVIL = "https://evil.example"
JSON_1_0 = "application/x-amz-json-1.0"
PAGE = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
SCOPE = "20261128/us-east-1/dynamodb/aws4_request"
UNSIGNED_ROUTES = (
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/_ministack/health"),
    ("GET", "/_localstack/health"),
    ("GET", "/_ministack/sqs/messages"),
    ("GET", "/_ministack/ses/messages"),
    ("GET", "/_ministack/sns/sms-messages"),
    ("GET", "/_ministack/lambda-code/000000000000/us-east-1/any"),
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("POST", "/_ministack/rds/iam-auth"),
    ("PUT", "/_ministack/cfn-signal/any"),
    ("GET", "/oauth2/authorize"),
    ("POST", "/oauth2/token"),
    ("POST", "/login"),
    ("GET", "/_aws/execute-api/{api}/$default/v1/operations"),
    ("GET", "/restapis/{api}/$default/_user_request_/v1/operations"),
    ("POST", "/_aws/lambda-url/any/"),
    ("GET", "/_alb/any/"),
    ("GET", "/iceberg/v1/config"),
    ("GET", "/v2/_catalog"),
    ("GET", "/v20180820/bucket"),
    ("GET", "/2015-03-31/functions/"),
    ("POST", "/?Action=GetCallerIdentity&Version=2011-06-15"),
)


@pytest.fixture(scope="module")
def picture(stack: Stack) -> str:
    """The presigned URL of a picture."""
    body = {"model": "flux", "prompt": "a picture that is safe"}
    url: str = requests.post(f"{stack.base_url}/v1/images/generations", json=body).json()["data"][0]["url"]
    return url


@pytest.fixture(scope="module")
def operations(stack: Stack) -> Callable[[], int]:
    """How many operations there are."""

    def count() -> int:
        return len(requests.get(f"{stack.base_url}/v1/operations?page_size=100").json()["operations"])

    return count


def signed(endpoint: str, key: str, secret: str, **changes: str) -> requests.Response:
    """ListTables as a client with that key sends it; `changes` are headers altered after signing."""
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": JSON_1_0}
    request = AWSRequest("POST", f"{endpoint}/", data="{}", headers=headers)
    SigV4Auth(Credentials(key or "KEY", secret), "dynamodb", "us-east-1").add_auth(request)
    signature = request.headers["Authorization"].replace("=KEY/", f"={key}/")
    return requests.post(f"{endpoint}/", data="{}", headers={**request.headers, "Authorization": signature, **changes})


def test_a_web_page_gets_nothing_from_the_embedded_aws(stack: Stack) -> None:
    """What ran code on the developer's machine: only what `fetch()` may send, preflight included."""
    aws = stack.aws_endpoint
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-amz-target"}
    preflight = requests.options(f"{aws}/", headers={"Origin": EVIL, **asks})
    assert preflight.status_code == 403
    assert not [name for name in preflight.headers if name.lower().startswith("access-control-")]
    forged = f"AWS4-HMAC-SHA256 Credential=test/{SCOPE}, SignedHeaders=host, Signature=00"
    for target in ("DynamoDB_20120810.ListTables", "AmazonSSM.DescribeParameters", "AmazonSSM.GetParametersByPath"):
        headers = {"Authorization": forged, "X-Amz-Target": target, "Content-Type": JSON_1_0}
        for origin in ({}, PAGE):
            answer = requests.post(f"{aws}/", data='{"Path": "/", "Recursive": true}', headers={**headers, **origin})
            assert answer.status_code in (400, 403), (target, origin)
            assert not {"TableNames", "Parameters"} & set(answer.json())
    created = requests.post(f"{aws}/2015-03-31/functions", json={}, headers={"Authorization": forged, **PAGE})
    assert created.status_code == 403


@pytest.mark.parametrize(("method", "path"), UNSIGNED_ROUTES)
def test_without_a_signature_there_is_nothing(stack: Stack, method: str, path: str) -> None:
    url = stack.aws_endpoint + path.format(api=stack.api_id)
    answer = requests.request(method, url, data="{}" if method != "GET" else None)
    assert answer.status_code in (400, 403)
    assert b"flux" not in answer.content
    refused = requests.request(method, url, headers={"Host": "evil.example"})
    assert refused.status_code == 403


def test_only_the_front_door_enters_by_the_api(stack: Stack) -> None:
    url = f"{stack.aws_endpoint}/_aws/execute-api/{stack.api_id}/$default/v1/models"
    assert requests.get(url, headers={"x-imagegate-door": "0" * 64}).status_code == 403
    token = {"x-imagegate-door": stack.folder.root_credentials().door_token}
    assert requests.get(url, headers=token).ok
    assert requests.get(url, headers={**token, "Host": "evil.example"}).status_code == 403
    assert requests.get(f"{stack.aws_endpoint}/_ministack/health", headers=token).status_code == 403
    host = f"{stack.api_id}.execute-api.localhost"
    assert requests.get(f"{stack.aws_endpoint}/v1/models", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("key", ["", "test", "000000000000", "123456789012", "AKIAIOSFODNN7EXAMPLE", "x"])
def test_made_up_keys_are_unknown(stack: Stack, key: str) -> None:
    for secret in ("test", "", stack.folder.root_credentials().secret_access_key):
        assert signed(stack.aws_endpoint, key, secret or "x").json()["__type"] == "UnrecognizedClientException"


def test_the_root_key_needs_its_secret(stack: Stack) -> None:
    root = stack.folder.root_credentials()
    assert signed(stack.aws_endpoint, root.access_key_id, root.secret_access_key).ok
    for wrong in ("test", "", root.secret_access_key[:-1]):
        assert signed(stack.aws_endpoint, root.access_key_id, wrong or "x").status_code in (400, 403)
    for changed in ({"X-Amz-Target": "DynamoDB_20120810.Scan"}, {"X-Amz-Date": "20200101T000000Z"}):
        assert signed(stack.aws_endpoint, root.access_key_id, root.secret_access_key, **changed).status_code == 400


def test_a_functions_key_cannot_be_computed_from_its_name(stack: Stack) -> None:
    """MiniStack derives it from ARNs, which can be guessed."""
    function = next(
        other for other in stack.client("lambda").list_functions()["Functions"] if other["Handler"] == "submit.handler"
    )
    digest = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
    secret = hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    client = boto3.client(
        "ssm",
        endpoint_url=stack.aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id=f"ASIA{digest[:16].upper()}",
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(client.exceptions.ClientError):
        client.get_parameters_by_path(Path="/", Recursive=True)


def test_a_picture_is_shown_to_whoever_has_its_url_and_read_by_no_page(stack: Stack, picture: str) -> None:
    document = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for headers in ({}, document, {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document"}):
        answer = requests.get(picture, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert requests.get(picture, headers={**document, "Host": "evil.example"}).status_code == 403
    for origin in (EVIL, "null", "http://localhost:3000"):
        assert requests.get(picture, headers={"Origin": origin}).status_code == 403
        assert requests.options(picture, headers={"Origin": origin}).status_code == 403
    assert requests.post(picture, headers=document).status_code == 403
    assert requests.get(picture.partition("?")[0]).status_code == 403
    assert requests.get(picture[:-1] + ("0" if picture[-1] != "0" else "1")).status_code == 403
    assert requests.get(f"{picture}&x-amz-credential=test").status_code == 403


def test_a_presigned_url_of_another_key_or_service_opens_nothing(stack: Stack, picture: str) -> None:
    address, root = urlsplit(picture), stack.folder.root_credentials()
    for key, secret in (("test", "test"), ("000000000000", "test"), (root.access_key_id, "wrong")):
        request = AWSRequest("GET", f"{stack.aws_endpoint}{address.path}")
        S3SigV4QueryAuth(Credentials(key, secret), "s3", "us-east-1").add_auth(request)
        assert requests.get(request.url).status_code == 403
    old = f"{stack.aws_endpoint}{address.path}?AWSAccessKeyId={root.access_key_id}&Signature=x&Expires=9999999999"
    assert requests.get(old).status_code == 403


@pytest.mark.parametrize("door", ["front_door", "long_hold"])
def test_a_web_page_starts_nothing_and_reads_nothing(stack: Stack, operations: Callable[[], int], door: str) -> None:
    before, base = operations(), getattr(stack, door).url
    body = json.dumps({"model": "flux", "prompt": "x"})
    webhook = {"url": f"{stack.upstreams_url}/", "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    hooked = json.dumps({"model": "flux", "prompt": "x", "webhook": webhook})
    plain = {"Content-Type": "text/plain"}
    for path, content in (("/v1/images/generations", body), ("/v1/operations", hooked)):
        for origin in (EVIL, "null", "http://localhost:3000", "http://127.0.0.1:3000"):
            answer = requests.post(f"{base}{path}", data=content, headers={**plain, "Origin": origin})
            assert answer.status_code == 403, origin
            assert "--cors-origin" in answer.json()["message"]
    rebound = requests.get(f"{base}/v1/operations", headers={"Host": "evil.example"})
    assert (rebound.status_code, "operations" in rebound.json()) == (403, False)
    assert operations() == before
    assert requests.post(f"{base}/v1/operations", data=body, headers=plain).status_code == 202


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": EVIL}, {"Sec-Fetch-Site": "same-site"}])
def test_a_web_page_gets_nothing_from_the_stand_ins(stack: Stack, headers: dict[str, str]) -> None:
    assert requests.get(f"{stack.upstreams_url}/").ok
    for method, path in (("GET", "/"), ("DELETE", "/_standin/submissions"), ("POST", "/openai/v1/images/generations")):
        assert requests.request(method, f"{stack.upstreams_url}{path}", headers=headers).status_code == 403


def test_nobody_else_can_read_the_state_folder(stack: Stack, picture: str, until: Callable[..., Any]) -> None:
    assert picture
    for written in (stack.folder.snapshot, stack.folder.functions_log):
        until(written.exists)
    modes = {}
    for path in (stack.folder.root, *stack.folder.root.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a draft, or a worker's
            modes[path] = path.stat().st_mode & 0o077
    assert {stack.folder.root_key, stack.folder.log, stack.folder.snapshot} <= set(modes)
    assert [path for path, mode in modes.items() if mode] == []


def test_credentials_of_upstreams_are_not_in_the_state_file_in_clear(stack: Stack, until: Callable[..., Any]) -> None:
    ssm, secret = stack.client("ssm"), "sk-a-marked-credential"
    ssm.put_parameter(Name="/imagegate/dev/upstreams/MARKED", Value=secret, Type="SecureString")
    until(lambda: "upstreams/MARKED" in stack.folder.snapshot.read_text())
    assert secret not in stack.folder.snapshot.read_text()
    assert base64.b64encode(secret.encode()).decode() not in stack.folder.snapshot.read_text()
    ssm.delete_parameter(Name="/imagegate/dev/upstreams/MARKED")
