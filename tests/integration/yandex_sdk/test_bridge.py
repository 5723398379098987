"""The bridge between real gRPC and a server that answers whatever a gateway may."""

import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.scripted_rest import HANG, ScriptedRest, scripted_rest
from support.yandex_processes import Bridge, Protobuf, bridge, protobuf

pytestmark = [pytest.mark.yandex_sdk, pytest.mark.integration, pytest.mark.xdist_group("yandex-sdk")]
PENDING = {
    "id": "fbveu1sntj0000000000",
    "description": "",
    "createdAt": None,
    "createdBy": "",
    "modifiedAt": None,
    "done": False,
    "metadata": None,
}
RESPONSE = "type.googleapis.com/yandex.cloud.ai.foundation_models.v1.image_generation.ImageGenerationResponse"
DONE = {**PENDING, "done": True, "response": {"@type": RESPONSE, "image": "/9j/2Q==", "modelVersion": ""}}
REQUEST = {
    "modelUri": "art://b1g/yandex-art/latest",
    "messages": [{"text": "a fox"}],
    "generationOptions": {"seed": "9007199254740993", "aspectRatio": {"widthRatio": "1", "heightRatio": "2"}},
}
INFO = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "r-1"}
UNKNOWN = {"@type": "type.googleapis.com/unknown.Message", "a": 1}
CHAT = {
    "model": "m-1",
    "choices": [{"message": {"role": "assistant", "content": "a red fox"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 31, "completion_tokens": 3, "total_tokens": 34},
}
COMPLETION = {
    "alternatives": [{"message": {"role": "assistant", "text": "a red fox"}, "status": "ALTERNATIVE_STATUS_FINAL"}],
    "usage": {"inputTextTokens": "31", "completionTokens": "3", "totalTokens": "34"},
    "modelVersion": "m-1",
}
ASKED = {
    "modelUri": "gpt://b1g/yandexgpt/latest",
    "completionOptions": {"stream": True, "temperature": 0.5, "maxTokens": "500"},
    "messages": [{"role": "user", "text": "write a prompt"}, {"role": "user", "text": "about a fox"}],
}


@pytest.fixture(scope="module")
def rest() -> Iterator[ScriptedRest]:
    with scripted_rest() as running:
        yield running


@pytest.fixture(scope="module")
def running(rest: ScriptedRest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    options = ("--url", f"{rest.url}/stage/", "--state-dir", str(tmp_path_factory.mktemp("bridge")))
    with bridge(*options) as started:
        yield started


@pytest.fixture(scope="module")
def grpc(running: Bridge) -> Iterator[Protobuf]:
    with protobuf(running) as asking:
        yield asking


def status(code: int, message: str, *details: Any) -> dict[str, Any]:
    """The documented body of an error."""
    return {"error": message, "code": code, "message": message, "details": list(details)}


def test_what_the_sdk_looks_for_is_here(running: Bridge, grpc: Protobuf) -> None:
    listed = grpc.call("List")["answer"]["endpoints"]
    assert {entry["id"]: entry["address"] for entry in listed} == {
        "ai-foundation-models": running.address,
        "operation": running.address,
    }
    one = grpc.call("Endpoint", {"apiEndpointId": "operation"})["answer"]
    assert one == {"id": "operation", "address": running.address}
    assert grpc.call("Endpoint", {"apiEndpointId": "iam"})["code"] == "NOT_FOUND"


def test_a_request_goes_on_as_documented_json_with_its_headers(rest: ScriptedRest, grpc: Protobuf) -> None:
    rest.will(200, PENDING, x_request_id="r-1", x_server_trace_id="t-1", x_amz_request_id="not ours")
    sent = {
        "authorization": "Api-Key s3cret",
        "x_client_request_id": "c-1",
        "x_data_logging_enabled": "false",
        "idempotency_key": "i-1",
        "x_imagegate_expand": "true",
        "something_else": "stays here",
    }
    answer = grpc.call("Generate", REQUEST, **sent)
    assert (answer["code"], answer["answer"]) == ("OK", {"id": PENDING["id"]})
    assert answer["trailing"]["x-request-id"] == "r-1"
    assert answer["trailing"]["x-server-trace-id"] == "t-1"
    assert "x-amz-request-id" not in answer["trailing"]
    [got] = rest.got
    assert (got.method, got.path, got.body) == ("POST", "/stage/foundationModels/v1/imageGenerationAsync", REQUEST)
    expected = {name.replace("_", "-"): value for name, value in sent.items()}
    expected.pop("something-else")
    assert {name: got.headers[name] for name in expected} == expected
    assert "something-else" not in got.headers
    assert "grpc-python" in got.headers["user-agent"]


def test_an_operation_is_fetched_and_cancelled(rest: ScriptedRest, grpc: Protobuf) -> None:
    rest.will(200, DONE)
    assert grpc.call("Get", {"operationId": "a/b"})["answer"] == {
        "id": PENDING["id"],
        "done": True,
        "response": {"@type": RESPONSE, "image": "/9j/2Q=="},
    }
    rest.answers[:] = [(200, {**PENDING, "done": True, "error": {"code": 1, "message": "cancelled"}}, {})]
    cancelled = grpc.call("Cancel", {"operationId": "a/b"})["answer"]
    assert cancelled["error"] == {"code": 1, "message": "cancelled"}
    assert [(got.method, got.path) for got in rest.got] == [
        ("GET", "/stage/operations/a%2Fb"),
        ("POST", "/stage/operations/a%2Fb:cancel"),
    ]


def test_what_can_be_no_id_is_refused(rest: ScriptedRest, grpc: Protobuf) -> None:
    rest.will(200, DONE)
    assert grpc.call("Get", {"operationId": "x" * 100_000})["code"] == "INVALID_ARGUMENT"
    assert rest.got == []


def test_an_answer_behind_a_redirect_is_fetched_without_credentials(rest: ScriptedRest, grpc: Protobuf) -> None:
    with scripted_rest() as bucket:
        bucket.will(200, DONE)
        rest.will(303, b"", location=f"{bucket.url}/answers/1", x_request_id="r-1")
        answer = grpc.call("Get", {"operationId": "x"}, authorization="Api-Key s3cret", x_api_key="s3cret")
        assert answer["answer"]["done"] is True
        assert answer["trailing"]["x-request-id"] == "r-1"
        assert "s3cret" not in str(bucket.got[0].headers)


@pytest.mark.parametrize(
    ("http", "body", "code", "message"),
    [
        (400, status(3, "invalid model_uri 'x'."), "INVALID_ARGUMENT", "invalid model_uri 'x'."),
        (400, status(9, "not allowed"), "FAILED_PRECONDITION", "not allowed"),
        (401, status(16, "no key"), "UNAUTHENTICATED", "no key"),
        (403, status(7, "denied"), "PERMISSION_DENIED", "denied"),
        (404, status(5, "no such operation"), "NOT_FOUND", "no such operation"),
        (409, status(6, "is there"), "ALREADY_EXISTS", "is there"),
        (429, status(8, "too many"), "RESOURCE_EXHAUSTED", "too many"),
        (499, status(1, "gone"), "CANCELLED", "gone"),
        (500, status(13, "broken"), "INTERNAL", "broken"),
        (503, status(14, "later"), "UNAVAILABLE", "later"),
        (504, status(4, "slow"), "DEADLINE_EXCEEDED", "slow"),
        (400, status(3, "Я не могу"), "INVALID_ARGUMENT", "Я не могу"),
        (400, status(3, "я" * 5000), "INVALID_ARGUMENT", "я" * 600 + "…"),
        (503, {"message": "Service Unavailable"}, "UNAVAILABLE", "Service Unavailable"),  # API Gateway's own
        (429, {"message": "Too Many Requests"}, "RESOURCE_EXHAUSTED", "Too Many Requests"),
        (404, {"error": {"message": "no route", "code": "not_found"}}, "NOT_FOUND", "no route"),
        (401, {"error": {"message": "no", "code": "invalid_api_key"}}, "UNAUTHENTICATED", "no"),
        (429, {"error": {"grpcCode": 8, "message": "quota"}}, "RESOURCE_EXHAUSTED", "quota"),
        (502, b"<html>bad gateway</html>", "UNAVAILABLE", "HTTP 502 without a reason."),
        (418, b"[]", "UNKNOWN", "HTTP 418 without a reason."),
        (200, b"<html>hello</html>", "INTERNAL", "answered no operation"),
        (200, {"id": 5}, "INTERNAL", "answered no operation"),
        (200, {**PENDING, "done": True, "response": {"@type": "x/unknown.Message"}}, "INTERNAL", "no operation"),
    ],
)
def test_failures_keep_their_code_and_words(
    rest: ScriptedRest, grpc: Protobuf, http: int, body: Any, code: str, message: str
) -> None:
    rest.will(http, body)
    answer = grpc.call("Generate", REQUEST)
    assert answer["code"] == code
    assert message in answer["details"]


def test_failures_keep_their_details_and_headers(rest: ScriptedRest, grpc: Protobuf) -> None:
    rest.will(429, status(8, "too many", INFO, UNKNOWN), retry_after="7", x_request_id="r-1")
    answer = grpc.call("Get", {"operationId": "x"})
    assert answer["packed"] == [INFO]
    assert (answer["trailing"]["retry-after"], answer["trailing"]["x-request-id"]) == ("7", "r-1")


@pytest.mark.parametrize("status_", [200, 404])
def test_no_answer_fails_on_its_headers(rest: ScriptedRest, grpc: Protobuf, status_: int) -> None:
    long = {f"x_{number}": "%D0%BB" * 500 for number in range(4)}
    rest.will(status_, DONE if status_ == 200 else status(5, "я" * 5000), x_request_id="r-1", **long)
    answer = grpc.call("Get", {"operationId": "x"})
    assert answer["code"] == ("OK" if status_ == 200 else "NOT_FOUND")
    assert answer["trailing"]["x-request-id"] == "r-1"


def test_the_callers_deadline_ends_the_wait(rest: ScriptedRest, running: Bridge, grpc: Protobuf) -> None:
    rest.will(HANG)
    assert grpc.call("Get", {"operationId": "x"}, timeout=0.5)["code"] == "DEADLINE_EXCEEDED"
    rest.will(200, DONE)
    assert grpc.call("Get", {"operationId": "x"})["code"] == "OK"


def test_nobody_there_is_unavailable_and_says_where(tmp_path: Path) -> None:
    with scripted_rest() as gone:
        pass
    with bridge("--url", gone.url, "--state-dir", str(tmp_path)) as running, protobuf(running) as grpc:
        answer = grpc.call("Get", {"operationId": "x"})
        assert answer["code"] == "UNAVAILABLE"
        assert gone.url in answer["details"]


def test_no_text_model_says_how_to_get_one(grpc: Protobuf) -> None:
    answer = grpc.call("Completion", ASKED)
    assert answer["code"] == "UNIMPLEMENTED"
    assert "--text-url" in answer["details"]


@pytest.fixture(scope="module")
def chat(rest: ScriptedRest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protobuf]:
    options = ("--state-dir", str(tmp_path_factory.mktemp("chat")), "--text-url", f"{rest.url}/v1", "--plaintext")
    with bridge(*options, IMAGEGATE_TEXT_AUTHORIZATION="Bearer t3xt") as started, protobuf(started) as asking:
        yield asking
    assert "t3xt" not in started.printed


def test_a_completion_through_an_openai_compatible_server(rest: ScriptedRest, chat: Protobuf) -> None:
    rest.will(200, CHAT)
    answer = chat.call("Completion", ASKED, authorization="Api-Key imagegates-own")
    assert (answer["code"], answer["answer"]) == ("OK", [COMPLETION])
    [got] = rest.got
    assert got.path == "/v1/chat/completions"
    assert got.body == {
        "model": "gpt://b1g/yandexgpt/latest",
        "messages": [{"role": "user", "content": "write a prompt"}, {"role": "user", "content": "about a fox"}],
        "temperature": 0.5,
        "max_tokens": 500,
    }
    assert got.headers["authorization"] == "Bearer t3xt"
    assert got.headers["openai-project"] == "b1g"


def test_the_model_can_be_another(rest: ScriptedRest, tmp_path: Path) -> None:
    options = ("--state-dir", str(tmp_path), "--text-url", f"{rest.url}/v1/", "--text-model", "tiny")
    rest.will(200, CHAT)
    with bridge(*options) as running, protobuf(running) as grpc:
        assert grpc.call("Completion", ASKED)["code"] == "OK"
    [got] = rest.got
    assert (got.path, got.body["model"]) == ("/v1/chat/completions", "tiny")
    assert not {"authorization", "openai-project"} & got.headers.keys()


@pytest.mark.parametrize(
    ("http", "body", "code", "message"),
    [
        (401, {"error": {"message": "bad key", "type": "invalid_request_error"}}, "UNAUTHENTICATED", "bad key"),
        (200, {"choices": None}, "INTERNAL", "answered no completion"),
        (200, b"<html>", "INTERNAL", "answered no completion"),
    ],
)
def test_what_a_text_model_may_do_wrong(
    rest: ScriptedRest, chat: Protobuf, http: int, body: Any, code: str, message: str
) -> None:
    rest.will(http, body)
    answer = chat.call("Completion", ASKED)
    assert answer["code"] == code
    assert message in answer["details"]


def test_what_cannot_be_said_to_it_is_refused(rest: ScriptedRest, chat: Protobuf) -> None:
    rest.will(200, CHAT)
    answer = chat.call("Completion", {**ASKED, "jsonObject": True})
    assert answer["code"] == "UNIMPLEMENTED"
    assert "jsonObject" in answer["details"]
    assert rest.got == []


@pytest.mark.parametrize("body", [COMPLETION, {"result": COMPLETION}])
def test_a_completion_through_yandexgpt(rest: ScriptedRest, tmp_path: Path, body: Any) -> None:
    rest.will(200, body)
    where = f"{rest.url}/foundationModels/v1/completion"
    variables = {"IMAGEGATE_TEXT_AUTHORIZATION": "Api-Key t3xt"}
    with bridge("--state-dir", str(tmp_path), "--text-url", where, **variables) as running, protobuf(running) as grpc:
        assert grpc.call("Completion", ASKED)["answer"] == [COMPLETION]
        [got] = rest.got
        assert got.path == "/foundationModels/v1/completion"
        assert got.body == {**ASKED, "completionOptions": {**ASKED["completionOptions"], "stream": False}}  # type: ignore[dict-item]
        assert got.headers["authorization"] == "Api-Key t3xt"
        rest.will(429, {"error": {"grpcCode": 8, "httpCode": 429, "message": "quota", "details": []}})
        assert grpc.call("Completion", ASKED)["code"] == "RESOURCE_EXHAUSTED"


def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bridge").write_text("a file")
    unusable = pytest.raises(pytest.fail.Exception, match=r"bridge cannot be used: .* Give another --state-dir")
    with unusable, bridge("--state-dir", str(tmp_path)):
        pass


def test_the_certificate_is_kept_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    kept = []
    for _ in range(2):
        with bridge("--state-dir", str(tmp_path)) as running:
            kept.append(Path(running.roots).read_bytes())
    assert kept[0] == kept[1]
    assert b"PRIVATE" not in kept[0]
    server = tmp_path / "bridge" / "server.pem"
    assert stat.S_IMODE(server.stat().st_mode) == 0o600
    server.write_text("nonsense")
    with bridge("--state-dir", str(tmp_path)) as running, protobuf(running) as grpc:
        assert grpc.call("List")["code"] == "OK"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_asked_also_while_a_call_waits(rest: ScriptedRest, tmp_path: Path, signum: int) -> None:
    rest.will(HANG)
    here = bridge("--url", rest.url, "--state-dir", str(tmp_path))
    with here as running, protobuf(running) as grpc, ThreadPoolExecutor(1) as pool:
        call = pool.submit(grpc.call, "Get", {"operationId": "x"})
        rest.reached()
        assert running.stop(signum) == 0
        assert call.result()["code"] in ("UNAVAILABLE", "CANCELLED")
    assert "stopped" in running.printed
    assert "Traceback" not in running.printed


def test_a_taken_port_is_said_in_a_sentence(running: Bridge, tmp_path: Path) -> None:
    port = running.address.rpartition(":")[2]
    taken = pytest.raises(pytest.fail.Exception, match=rf"{port} is taken, .* Give another --port")
    with taken, bridge("--port", port, "--state-dir", str(tmp_path)):
        pass
