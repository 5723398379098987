"""Gradio's `/call` protocol as docs/protocols/gradio-spaces.md#calls tells it, line by line.

Every assertion holds for the real servers and for the stand-ins, which is what makes the stand-ins worth testing with.
"""

import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse
from PIL import Image

pytestmark = pytest.mark.slow

MAX_SEED = 2147483647
PATIENCE = 20.0
"""Seconds for anything that has to happen."""

Read = tuple[list[ServerSentEvent], str]


@pytest.fixture(scope="session")
def client(gradio_server: str) -> Iterator[httpx.Client]:
    """A client of the Space."""
    # Gradio tears connections; one that was kept alive may be gone when the next test wants it.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=gradio_server, timeout=PATIENCE, limits=limits) as client:
        yield client


@pytest.fixture
def prefix(gradio_generation: int) -> str:
    """What stands before `/call`."""
    return "/gradio_api" if gradio_generation == 6 else ""


@pytest.fixture
def observation(gradio_kind: str) -> float:
    """Seconds for which a stream that should say nothing is watched; the stand-ins' heart beats every 0.1 s."""
    return 0.5 if gradio_kind.startswith("stand-in") else 3.0


@pytest.fixture
def lost(gradio_generation: int) -> str:
    """The text of the error event for a stream that cannot be read any more."""
    return "404: Not Found" if gradio_generation == 6 else "404: Session not found."


@pytest.fixture
def crash(gradio_generation: int) -> Any:
    """The data of the error event of anything but a gr.Error."""
    return {"error": None} if gradio_generation == 6 else None


def arguments(prompt: str = "a fox", **changed: Any) -> list[Any]:
    """The `data` of a call, in the order of `infer`."""
    sent = {"prompt": prompt, "seed": 7, "randomize": False, "width": 256, "height": 320, "steps": 4}
    return list((sent | changed).values())


def start(client: httpx.Client, prefix: str, data: list[Any]) -> str:
    """Start a job; returns the path of its stream."""
    answer = client.post(f"{prefix}/call/infer", json={"data": data}).raise_for_status()
    return f"{prefix}/call/infer/{answer.json()['event_id']}"


def read(client: httpx.Client, path: str, patience: float = PATIENCE) -> Read:
    """The events of a stream, and how it ended: `closed`, `torn`, or `open` when nothing more came."""
    events: list[ServerSentEvent] = []
    deadline = time.monotonic() + patience
    try:
        with connect_sse(client, "GET", path, timeout=patience) as stream:
            assert stream.response.status_code == 200
            assert stream.response.headers["content-type"].startswith("text/event-stream")
            for event in stream.iter_sse():
                events.append(event)
                if time.monotonic() > deadline:
                    return events, "open"
    except httpx.RemoteProtocolError:
        return events, "torn"
    except httpx.ReadTimeout:
        return events, "open"
    return events, "closed"


def last_event(client: httpx.Client, prefix: str, data: list[Any]) -> tuple[str, Any]:
    """The event that ends a job, and its data."""
    events, end = read(client, start(client, prefix, data))
    assert end == "closed"
    assert {event.event for event in events[:-1]} <= {"heartbeat"}
    return events[-1].event, json.loads(events[-1].data)


def test_config_tells_version_and_prefix(client: httpx.Client, gradio_generation: int) -> None:
    config = client.get("/config").json()

    assert config["version"].startswith(f"{gradio_generation}.")
    assert config.get("api_prefix") == ("/gradio_api" if gradio_generation == 6 else None)
    assert config["protocol"] == "sse_v3"


def test_the_other_generations_prefix_is_404(client: httpx.Client, prefix: str) -> None:
    other = "" if prefix else "/gradio_api"
    answers = [client.post(f"{other}/call/infer", json={"data": arguments()}), client.get(f"{other}/call/infer/abc")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json() for answer in answers] == [{"detail": "Not Found"}] * 2


def test_a_submission_answers_its_event_id_and_nothing_else(client: httpx.Client, prefix: str) -> None:
    answer = client.post(f"{prefix}/call/infer", json={"data": arguments()})

    assert answer.status_code == 200
    assert list(answer.json()) == ["event_id"]
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["event_id"])


def test_complete_holds_the_file_and_the_seed(client: httpx.Client, prefix: str, gradio_server: str) -> None:
    event, (file, seed) = last_event(client, prefix, arguments(seed=7))
    path = file.pop("path")

    assert event == "complete"
    assert seed == 7
    assert path.endswith("/image.webp")
    assert file == {
        "url": f"{gradio_server}{prefix}/file={path}",
        "size": None,
        "orig_name": "image.webp",
        "mime_type": None,
        "is_stream": False,
        "meta": {"_type": "gradio.FileData"},
    }


def test_the_file_is_a_webp_of_the_requested_size(client: httpx.Client, prefix: str) -> None:
    _, (file, _) = last_event(client, prefix, arguments(width=770, height=513))
    answer = client.get(file["url"])

    assert answer.headers["content-type"] == "image/webp"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == ("WEBP", (770, 513))


def test_the_urls_host_is_the_one_the_submission_was_sent_to(client: httpx.Client, prefix: str) -> None:
    posted = client.post(f"{prefix}/call/infer", json={"data": arguments()}, headers={"host": "space.test"})
    events, _ = read(client, f"{prefix}/call/infer/{posted.json()['event_id']}")

    assert json.loads(events[-1].data)[0]["url"].startswith("http://space.test/")


def test_a_missing_file(client: httpx.Client, prefix: str, gradio_generation: int) -> None:
    _, (file, _) = last_event(client, prefix, arguments())
    answer = client.get(file["url"].replace("image.webp", "gone.webp"))

    assert answer.status_code == (403 if gradio_generation == 6 else 404)


def test_a_random_seed_is_reported(client: httpx.Client, prefix: str) -> None:
    seeds = [last_event(client, prefix, arguments(randomize=True))[1][1] for _ in range(2)]

    assert seeds[0] != seeds[1]
    assert all(0 <= seed <= MAX_SEED for seed in seeds)


def test_an_error_the_space_raises(client: httpx.Client, prefix: str, gradio_generation: int) -> None:
    event, data = last_event(client, prefix, arguments("[error] [fault refuse]"))

    assert event == "error"
    if gradio_generation == 4:
        assert data is None
    else:
        assert isinstance(data.pop("error"), str)
        assert data == {"duration": 10, "visible": True, "title": "Error"}


def test_a_crash_is_not_explained(client: httpx.Client, prefix: str, crash: Any) -> None:
    assert last_event(client, prefix, arguments("[crash] [fault error]")) == ("error", crash)


@pytest.mark.parametrize(
    "data",
    [
        [],
        ["a fox", 7],
        arguments(seed="seven"),
        arguments(seed=None),
        arguments(seed=1.5),
        arguments(width="512"),
        [None, *arguments()[1:]],
    ],
    ids=str,
)
def test_too_few_or_unfit_arguments_crash(client: httpx.Client, prefix: str, crash: Any, data: list[Any]) -> None:
    assert last_event(client, prefix, data) == ("error", crash)


@pytest.mark.parametrize("data", [[*arguments(), 5], [7, *arguments()[1:]]], ids=["seven", "number"])
def test_surplus_arguments_and_any_prompt_are_taken(client: httpx.Client, prefix: str, data: list[Any]) -> None:
    assert last_event(client, prefix, data)[0] == "complete"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"width": 64}, "Value 64 is less than minimum value 256."),
        ({"height": 2080}, "Value 2080 is greater than maximum value 2048."),
        ({"steps": 99}, "Value 99 is greater than maximum value 50."),
        ({"seed": -1}, "Value -1 is less than minimum value 0."),
        ({"seed": MAX_SEED + 1}, "Value 2147483648 is greater than maximum value 2147483647."),
    ],
    ids=str,
)
def test_only_gradio_6_enforces_sliders(
    client: httpx.Client, prefix: str, gradio_generation: int, changed: dict[str, int], text: str
) -> None:
    event, data = last_event(client, prefix, arguments(**changed))

    if gradio_generation == 4:
        assert event == "complete"
    else:
        assert (event, data) == ("error", {"error": text, "duration": 10, "visible": True, "title": "Error"})


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"not json", b'{"data": 1}'], ids=str)
def test_a_body_without_data_is_422(client: httpx.Client, prefix: str, content: bytes) -> None:
    answer = client.post(f"{prefix}/call/infer", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"]


def test_an_unknown_function_is_500(client: httpx.Client, prefix: str) -> None:
    answer = client.post(f"{prefix}/call/nope", json={"data": arguments()})

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


def test_the_stream_does_not_care_for_the_functions_name(client: httpx.Client, prefix: str) -> None:
    path = start(client, prefix, arguments())

    assert read(client, path.replace("/call/infer/", "/call/other/"))[0][-1].event == "complete"


def test_an_unknown_event_id_is_an_error_event_in_a_torn_200(client: httpx.Client, prefix: str, lost: str) -> None:
    events, end = read(client, f"{prefix}/call/infer/{'0' * 32}")

    assert [(event.event, json.loads(event.data)) for event in events] == [("error", lost)]
    assert end == "torn"


@pytest.mark.parametrize("prompt", ["a fox", "[error] [fault refuse]"])
def test_after_the_last_event_a_second_reader_waits_for_ever(
    client: httpx.Client, prefix: str, prompt: str, observation: float
) -> None:
    path = start(client, prefix, arguments(prompt))
    read(client, path)
    events, end = read(client, path, observation)

    assert end == "open"
    assert {event.event for event in events} <= {"heartbeat"}


def test_a_second_reader_who_leaves_takes_the_session_along(client: httpx.Client, prefix: str, lost: str) -> None:
    path = start(client, prefix, arguments())
    read(client, path)
    read(client, path, 0.3)

    assert read_until_lost(client, path) == lost


def test_a_late_first_reader_gets_the_last_event(client: httpx.Client, prefix: str) -> None:
    path = start(client, prefix, arguments("[delay 0.1s] a fox"))
    # Nothing but reading would show that the job is done, and reading is what has to come late.
    time.sleep(0.6)
    events, end = read(client, path)

    assert [event.event for event in events] == ["complete"]
    assert end == "closed"


def test_leaving_before_the_last_event_loses_it(client: httpx.Client, prefix: str, lost: str) -> None:
    path = start(client, prefix, arguments("[delay 3s] a fox"))
    events, end = read(client, path, 0.3)

    assert end == "open"
    assert {event.event for event in events} <= {"heartbeat"}
    assert read_until_lost(client, path) == lost


def test_the_last_event_comes_when_the_job_is_done(client: httpx.Client, prefix: str) -> None:
    began = time.monotonic()
    path = start(client, prefix, arguments("[delay 2s] a fox"))
    assert time.monotonic() - began < 2, "the submission does not wait for the job"
    events, _ = read(client, path)

    assert events[-1].event == "complete"
    assert time.monotonic() - began >= 2


def read_until_lost(client: httpx.Client, path: str) -> str:
    """The text of the error event, as soon as the server has noticed that the reader before has left."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        events, end = read(client, path, 0.3)
        if end != "open":
            assert [event.event for event in events] == ["error"]
            return json.loads(events[0].data)
    raise AssertionError("the server never noticed")
