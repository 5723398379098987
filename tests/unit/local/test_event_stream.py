"""Streams at the local addresses: a door in front of a scripted MiniStack, both real servers on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

from imagegate.local.event_stream import COMMENT_SECONDS, asks_for_events
from imagegate.local.front_door import FUNCTION_URL, HTTP_API, FrontDoor
from support.scripted_ministack import Answer, ScriptedMiniStack, served

pytestmark = pytest.mark.slow

IMAGES = "/v1/images/generations"
ASKED = {"prompt": "a fox", "stream": True}
EVENT = {
    "type": "image_generation.completed", "b64_json": "eA==", "created_at": 1, "size": "1x1", "quality": "auto",
    "background": "opaque", "output_format": "png",
    "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
              "input_tokens_details": {"image_tokens": 0, "text_tokens": 0}},
}  # fmt: skip
EVENTS = f"event: {EVENT['type']}\ndata: {json.dumps(EVENT)}\n\n".encode()
COMMENT = ": keep-alive"
WAIT = "/v1/operations/abc/wait?hop=1"
PREFIX = "/_aws/execute-api/abcd1234/$default"


def events(may: threading.Event | None = None, body: bytes = EVENTS, **headers: str) -> Answer:
    """A stream; of a picture, if it is not said what."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, {"content-type": "text/event-stream", **named}, body, may)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[ScriptedMiniStack, str]]:
    scripted = ScriptedMiniStack()
    with served(scripted) as running:
        yield scripted, running.url


@pytest.fixture
def ministack(server: tuple[ScriptedMiniStack, str]) -> ScriptedMiniStack:
    """The scripted MiniStack, with an empty script."""
    server[0].__init__()  # type: ignore[misc]
    return server[0]


ENTRANCES = pytest.fixture(params=[HTTP_API, FUNCTION_URL], ids=["HTTP API", "long hold"])


@ENTRANCES
def url(server: tuple[ScriptedMiniStack, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A door whose comments come every 50 ms."""
    origins = frozenset({"https://studio.example.com"})
    with opened(
        server[1], FrontDoor(time_scale=1, entrance=request.param, origins=origins, comment_seconds=0.05)
    ) as running:
        yield running


@ENTRANCES
def unhurried(server: tuple[ScriptedMiniStack, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A door whose first comment comes after ten seconds, when everything here has been answered."""
    with opened(server[1], FrontDoor(time_scale=1, entrance=request.param, comment_seconds=COMMENT_SECONDS)) as running:
        yield running


@contextmanager
def opened(ministack: str, door: FrontDoor) -> Iterator[str]:
    door.open(ministack, "abcd1234")
    with served(door) as running:
        yield running.url


def redirect(location: str = WAIT, status: int = 303, may: threading.Event | None = None) -> Answer:
    headers = {"content-type": "application/json", "location": location, "retry-after": "1", "x-request-id": "r1"}
    return Answer(status, headers, b'{"error": {"message": "still being made"}}', may)


def refused(status: int, body: bytes, may: threading.Event | None = None) -> Answer:
    return Answer(status, {"content-type": "application/json"}, body, may)


def read_after_comments(url: str, released: threading.Event, count: int = 2, **headers: str) -> httpx.Response:
    """The response, whose last answer is released after some comments; its text in `extensions`."""
    with httpx.stream("POST", url + IMAGES, json=ASKED, headers=headers, timeout=10) as answer:
        lines = []
        for line in answer.iter_lines():
            lines.append(line)
            if lines.count(COMMENT) == count:
                released.set()
        answer.extensions["lines"] = [line for line in lines if line]
    return answer


def test_comments_come_while_the_function_is_held(url: str, ministack: ScriptedMiniStack) -> None:
    may = threading.Event()
    ministack.answers = [events(may)]
    answer = read_after_comments(url, may)
    lines = answer.extensions["lines"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert lines[:2] == [COMMENT] * 2
    assert "\n".join(line for line in lines if line != COMMENT).encode() + b"\n\n" == EVENTS


def test_the_door_follows_redirects_with_the_clients_key(url: str, ministack: ScriptedMiniStack) -> None:
    may = threading.Event()
    ministack.answers = [redirect(), redirect("/api" + WAIT), events(may)]
    answer = read_after_comments(url, may, authorization="Bearer ig_1_2", **{"accept-encoding": "gzip"})
    assert answer.extensions["lines"][-1].startswith("data: ")
    assert [asked.method for asked in ministack.asked] == ["POST", "GET", "GET"]
    assert ministack.last.target.endswith("/api" + WAIT)
    assert {asked.headers["authorization"] for asked in ministack.asked} == {"Bearer ig_1_2"}
    assert {asked.headers["accept-encoding"] for asked in ministack.asked} == {"identity"}
    assert "content-length" not in ministack.asked[1].headers


def test_a_picture_that_is_there_at_once_is_answered_as_on_aws(unhurried: str, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [events(x_request_id="r9")]
    answer = httpx.post(unhurried + IMAGES, json=ASKED)
    assert (answer.content, answer.headers["x-request-id"]) == (EVENTS, "r9")
    assert answer.headers["content-length"] == str(len(EVENTS))


def test_a_refused_request_has_its_own_status(unhurried: str, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [refused(400, b'{"error": {"message": "no"}}')]
    answer = httpx.post(unhurried + IMAGES, json=ASKED)
    assert (answer.status_code, answer.json()) == (400, {"error": {"message": "no"}})


ERROR = {"message": "The provider gave up.", "type": "server_error", "param": None, "code": "capacity"}


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (refused(424, json.dumps({"error": ERROR, "operation_id": "abc"}).encode()), ERROR["message"]),
        (refused(503, b'{"message": "Service Unavailable"}'), "Service Unavailable"),
        (refused(500, b"<html>"), "The gateway answered 500."),
    ],
)
def test_a_late_failure_is_an_event(url: str, ministack: ScriptedMiniStack, last: Answer, message: str) -> None:
    last.may = threading.Event()
    ministack.answers = [last]
    kind, data = read_after_comments(url, last.may).extensions["lines"][-2:]
    event = json.loads(data.removeprefix("data: "))
    assert (kind, event["type"], event["sequence_number"]) == ("event: error", "error", 0)
    assert event["error"]["message"] == event["message"] == message


@pytest.mark.parametrize("api", ["images", "responses", "chat"])
def test_openais_package_raises_a_late_failure(url: str, ministack: ScriptedMiniStack, api: str) -> None:
    may = threading.Event()
    ministack.answers = [refused(424, json.dumps({"error": ERROR}).encode(), may)]
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
        stream: Any = {
            "images": lambda: client.images.generate(prompt="a fox", stream=True),
            "responses": lambda: client.responses.create(input="a fox", stream=True),
            "chat": lambda: client.chat.completions.create(
                model="flux", messages=[{"role": "user", "content": "a fox"}], stream=True
            ),
        }[api]()
        may.set()  # the stream has begun: its first comment has come
        with pytest.raises(openai.APIError, match="The provider gave up"):
            list(stream)


def test_openais_package_reads_over_the_comments(url: str, ministack: ScriptedMiniStack) -> None:
    may = threading.Event()
    ministack.answers = [redirect(), events(may)]
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
        stream = client.images.generate(prompt="a fox", stream=True)
        may.set()
        [event] = list(stream)
    assert event.type == "image_generation.completed"


def test_a_wait_that_is_over_goes_on(unhurried: str, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [redirect(status=504), redirect(status=503), events()]
    answer = httpx.post(unhurried + IMAGES, json=ASKED, timeout=20)
    assert answer.content == EVENTS
    assert len(ministack.asked) == 3


def test_a_hop_that_failed_is_asked_for_again_and_a_post_is_not(unhurried: str, ministack: ScriptedMiniStack) -> None:
    failed = refused(502, b'{"errorMessage": "timed out"}')
    ministack.answers = [redirect(), failed, failed, events()]
    assert httpx.post(unhurried + IMAGES, json=ASKED, timeout=20).content == EVENTS
    assert [asked.target.endswith(WAIT) for asked in ministack.asked] == [False, True, True, True]
    ministack.asked.clear()
    ministack.answers = [failed, events()]
    assert httpx.post(unhurried + IMAGES, json=ASKED, timeout=20).status_code in (500, 502)
    assert len(ministack.asked) == 1


PARTIAL = b'event: image_generation.partial_image\ndata: {"type": "image_generation.partial_image"}\n\n'


def test_partial_pictures_are_sent_as_they_come(unhurried: str, ministack: ScriptedMiniStack) -> None:
    may = threading.Event()
    first = redirect()
    first.headers["content-type"] = "text/event-stream"
    first.body = PARTIAL
    left_out = redirect()
    left_out.headers["content-type"] = "text/event-stream"
    left_out.body = b""
    ministack.answers = [redirect(), first, left_out, events(may)]
    with httpx.stream("POST", unhurried + IMAGES, json=ASKED, timeout=10) as answer:
        pieces = answer.iter_bytes()
        received = next(pieces)
        assert received == PARTIAL
        may.set()
        received += b"".join(pieces)
    assert received == PARTIAL + EVENTS
    assert [asked.headers["prefer"] for asked in ministack.asked] == [f"partials={sent}" for sent in (0, 0, 1, 2)]


def test_an_answer_too_large_for_lambda_comes_from_the_bucket(
    unhurried: str, ministack: ScriptedMiniStack, server: tuple[ScriptedMiniStack, str]
) -> None:
    large = events(body=EVENTS * 20_000)
    ministack.answers = [redirect(f"{server[1]}/bucket/answers/abc?X-Amz-Signature=1"), large]
    answer = httpx.post(unhurried + IMAGES, json=ASKED, headers={"authorization": "Bearer ig_1_2"}, timeout=20)
    assert (answer.status_code, answer.content) == (200, large.body)
    assert (answer.headers["content-type"], answer.headers["x-request-id"]) == ("text/event-stream", "r1")
    assert (ministack.last.method, ministack.last.target) == ("GET", "/bucket/answers/abc?X-Amz-Signature=1")
    assert "authorization" not in ministack.last.headers


def test_without_comments_a_stream_is_answered_as_on_aws(
    ministack: ScriptedMiniStack, server: tuple[ScriptedMiniStack, str]
) -> None:
    ministack.answers = [redirect()]
    with opened(server[1], FrontDoor()) as url:
        answer = httpx.post(url + IMAGES, json=ASKED)
    assert (answer.status_code, answer.headers["location"]) == (303, WAIT)


def test_a_redirect_elsewhere_is_the_clients_to_follow(unhurried: str, ministack: ScriptedMiniStack) -> None:
    for location in ("https://example.com/v1", "//example.com/v1"):
        ministack.answers = [redirect(location)]
        answer = httpx.post(unhurried + IMAGES, json=ASKED)
        assert (answer.status_code, answer.headers["location"]) == (303, location)


def test_a_client_that_leaves_ends_the_waiting(url: str, ministack: ScriptedMiniStack) -> None:
    ministack.answers = [events(threading.Event())]
    with httpx.stream("POST", url + IMAGES, json=ASKED, timeout=10) as answer:
        assert next(answer.iter_lines()) == COMMENT
    assert ministack.left.wait(10)


def test_a_page_may_read_the_stream_that_its_origin_asked_for(url: str, ministack: ScriptedMiniStack) -> None:
    may = threading.Event()
    ministack.answers = [events(may)]
    answer = read_after_comments(url, may, origin="https://studio.example.com")
    assert answer.headers["access-control-allow-origin"] == "https://studio.example.com"
    foreign = httpx.post(url + IMAGES, json=ASKED, headers={"origin": "https://evil.example.com"})
    assert foreign.status_code == 403


STREAMED = json.dumps(ASKED).encode()
FORM = b'--x\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("path", "body", "headers", "expected"),
    [
        (IMAGES, STREAMED, {}, True),
        ("/v1/images/edits", FORM, {}, True),
        ("/v1/responses", b'{"input": "a fox", "stream": true}', {}, True),
        ("/v1/chat/completions", STREAMED, {}, True),
        ("/openai/deployments/flux/images/generations", STREAMED, {}, True),
        (IMAGES, b'{"prompt": "a fox", "stream": false}', {}, False),
        (IMAGES, b'{"prompt": "a \\"stream\\": true"}', {}, False),
        (IMAGES, b'["stream"]', {}, False),
        (IMAGES, b'{"stream" true', {}, False),
        (IMAGES, STREAMED, {b"prefer": b"wait=5"}, False),
        ("/v1/operations", STREAMED, {}, False),
        ("/mcp", STREAMED, {}, False),
        ("/foundationModels/v1/imageGenerationAsync", STREAMED, {}, False),
    ],
)
def test_only_requests_for_a_stream_are_kept_alive(
    path: str, body: bytes, headers: dict[bytes, bytes], expected: bool
) -> None:
    scope = {"method": "POST", "path": path, "query_string": b"", "headers": list(headers.items())}
    assert asks_for_events(scope, body) is expected
    assert not asks_for_events({**scope, "method": "GET"}, body)
