"""The front door in front of a scripted MiniStack, both real servers on loopback."""

import gzip
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from imagegate.local.front_door import FUNCTION_URL, HTTP_API, FrontDoor
from imagegate.local.gateway_exchange import LAMBDA_LIMIT_BYTES, REQUEST_LIMIT_BYTES
from imagegate.local.ports import first_free
from support.scripted_ministack import Answer, ScriptedMiniStack, served

TEXT = {"content-type": "application/json"}
BINARY = {"content-type": "image/png"}


@dataclass
class Client:
    """Speaks plain HTTP to the front door, without tidying the URL."""

    port: int

    def __call__(
        self, target: str, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, [(n.lower(), v) for n, v in answer.getheaders()], answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[ScriptedMiniStack, str]]:
    """A scripted MiniStack and its URL."""
    scripted = ScriptedMiniStack()
    with served(scripted) as server:
        yield scripted, server.url


@pytest.fixture
def ministack(behind: tuple[ScriptedMiniStack, str]) -> ScriptedMiniStack:
    """The scripted MiniStack, with an empty script."""
    behind[0].__init__()  # type: ignore[misc]
    return behind[0]


@pytest.fixture(scope="module")
def client(behind: tuple[ScriptedMiniStack, str]) -> Iterator[Client]:
    with served(_front_door(behind[1])) as server:
        yield Client(server.port)


@pytest.fixture
def hurried_client(behind: tuple[ScriptedMiniStack, str]) -> Iterator[Client]:
    """Behind a front door whose 30 seconds are 0.1."""
    with served(_front_door(behind[1], time_scale=300)) as server:
        yield Client(server.port)


@pytest.fixture
def long_hold_client(behind: tuple[ScriptedMiniStack, str]) -> Iterator[Client]:
    """At the door of a function URL, whose 15 minutes are 0.1 s."""
    front_door = FrontDoor(time_scale=9000, entrance=FUNCTION_URL)
    front_door.open(behind[1], "abcd1234")
    with served(front_door) as server:
        yield Client(server.port)


def _front_door(endpoint: str, time_scale: float = 1) -> FrontDoor:
    front_door = FrontDoor(time_scale=time_scale)
    front_door.open(endpoint, "abcd1234")
    return front_door


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//double",
        "/operations/abc:cancel",
        "/operations/abc%3Acancel?x=%2F&x=2&empty=",
        "/a/../b/./c",
        "/caf%C3%A9%20au%20lait",
        "/health",
    ],
)
def test_path_and_query_arrive_byte_for_byte(client: Client, ministack: ScriptedMiniStack, target: str) -> None:
    client(target)
    assert ministack.last.target == f"/_aws/execute-api/abcd1234/$default{target}"


def test_request_headers_and_body_arrive(client: Client, ministack: ScriptedMiniStack) -> None:
    client("/x", "POST", b"\x00\xff", {"Authorization": "Bearer ig_1_2", "Connection": "close"})
    sent = ministack.last.headers
    assert (ministack.last.body, sent["authorization"]) == (b"\x00\xff", "Bearer ig_1_2")
    assert "connection" not in sent or sent["connection"] != "close"
    assert not {"user-agent", "accept"} & sent.keys(), "nothing the client did not send"


@pytest.mark.parametrize(("body", "kind"), [(b'"caf\xe9"', None), ('"café"'.encode(), "application/json")])
def test_a_text_that_is_not_utf_8_is_handed_on_as_bytes(
    client: Client, ministack: ScriptedMiniStack, body: bytes, kind: str | None
) -> None:
    client("/x", "POST", body, TEXT)
    assert (ministack.last.body, ministack.last.headers.get("content-type")) == (body, kind)


def test_the_client_is_named_as_api_gateway_names_it(client: Client, ministack: ScriptedMiniStack) -> None:
    client("/", headers={"X-Forwarded-For": "203.0.113.9", "Host": "localhost:99", "X-Forwarded-Host": "forged"})
    sent = ministack.last.headers
    assert sent["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert sent["x-forwarded-host"] == "localhost:99"
    assert sent["x-forwarded-proto"] == "http"
    assert sent["x-forwarded-port"] == str(client.port)
    assert sent["x-amzn-trace-id"].startswith("Root=1-")


def test_answer_passes_unchanged(client: Client, ministack: ScriptedMiniStack) -> None:
    headers = {"location": "/wait?hop=1", "content-encoding": "gzip"}
    ministack.answers = [Answer(303, headers, gzip.compress(b"picture"), cookies=("a=1", "b=2"))]
    status, answered, body = client("/x", "POST", b"{}")
    assert status == 303
    assert gzip.decompress(body) == b"picture"
    assert [pair for pair in answered if pair[0] == "set-cookie"] == [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    assert ("location", "/wait?hop=1") in answered


def test_head_keeps_the_length(client: Client, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [Answer(headers={"content-length": "1234"}, body=b"")]
    _, headers, body = client("/x", "HEAD")
    assert (("content-length", "1234") in headers, body) == (True, b"")


def test_a_function_longer_than_the_integration_timeout_is_503(
    hurried_client: Client, ministack: ScriptedMiniStack
) -> None:
    ministack.answers = [Answer(may=threading.Event())]
    status, _, body = hurried_client("/")
    assert (status, body) == (503, b'{"message":"Service Unavailable"}')


@pytest.mark.parametrize(
    ("size", "headers"),
    [
        (REQUEST_LIMIT_BYTES + 1, TEXT),
        (LAMBDA_LIMIT_BYTES, TEXT),
        (LAMBDA_LIMIT_BYTES * 3 // 4 + 1, BINARY),
    ],
    ids=["gateway", "lambda", "lambda base64"],
)
def test_a_request_that_is_too_large_is_413(
    client: Client, ministack: ScriptedMiniStack, size: int, headers: dict[str, str]
) -> None:
    status, answered, body = client("/", "POST", b"x" * size, headers)
    assert ("x-content-type-options", "nosniff") in answered
    assert (status, body) == (413, b'{"message":"Request Entity Too Large"}')
    assert ministack.asked == []


def test_a_request_just_below_the_limit_passes(client: Client, ministack: ScriptedMiniStack) -> None:
    assert client("/", "POST", b"x" * (LAMBDA_LIMIT_BYTES - 1000), TEXT)[0] == 200
    assert len(ministack.last.body) == LAMBDA_LIMIT_BYTES - 1000


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"x" * (LAMBDA_LIMIT_BYTES + 1), "text/plain"), (b"x" * (LAMBDA_LIMIT_BYTES * 3 // 4 + 3), "image/png")],
    ids=["text", "base64"],
)
def test_an_answer_that_is_too_large_is_500(
    client: Client, ministack: ScriptedMiniStack, body: bytes, kind: str
) -> None:
    ministack.answers = [Answer(headers={"content-type": kind}, body=body)]
    status, _, answer = client("/")
    assert (status, answer) == (500, b'{"message":"Internal Server Error"}')


def test_a_function_that_raises_shows_nothing_of_it(client: Client, ministack: ScriptedMiniStack) -> None:
    raised = json.dumps({"errorMessage": "secret", "errorType": "KeyError"}).encode()
    ministack.answers = [Answer(502, body=raised)]
    status, _, body = client("/")
    assert (status, body) == (500, b'{"message":"Internal Server Error"}')


def test_the_functions_own_502_passes(client: Client, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [Answer(502, body=b'{"error":{"message":"upstream"}}')]
    assert client("/")[::2] == (502, b'{"error":{"message":"upstream"}}')


def test_the_long_hold_door_leads_to_the_function_url(long_hold_client: Client, ministack: ScriptedMiniStack) -> None:
    long_hold_client("/operations/abc%3Acancel?x=%2F", "POST", b"{}", TEXT)
    assert ministack.last.target == "/_aws/lambda-url/abcd1234/operations/abc%3Acancel?x=%2F"


def test_a_function_url_waits_fifteen_minutes_and_answers_502(
    long_hold_client: Client, ministack: ScriptedMiniStack
) -> None:
    assert FUNCTION_URL.seconds == 30 * HTTP_API.seconds
    ministack.answers = [Answer(may=threading.Event())]
    status, _, body = long_hold_client("/")
    assert (status, body) == (502, b'{"message":"Internal Server Error"}')


def test_a_function_url_passes_no_larger_answer_than_lambda(
    long_hold_client: Client, ministack: ScriptedMiniStack
) -> None:
    ministack.answers = [Answer(headers=TEXT, body=b"x" * (LAMBDA_LIMIT_BYTES + 1))]
    assert long_hold_client("/")[0] == 502


def test_without_ministack_it_says_so() -> None:
    with served(_front_door(f"http://127.0.0.1:{first_free()}")) as server:
        status, headers, body = Client(server.port)("/")
    assert status == 503
    assert ("retry-after", "5") in headers, "it is restarting, or stopped and started again"
    assert json.loads(body)["message"].startswith("The embedded stack does not answer")
