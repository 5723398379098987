"""The Spaces' stand-ins under faults; how they behave without is stated in ../real_gradio/test_call_protocol.py."""

import io
import json
from collections.abc import Callable

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse
from PIL import Image

from imagegate.local.upstreams.gradio.rules import QUOTA, REFUSAL

Submissions = Callable[[], list[dict[str, object]]]

SIX = "/black-forest-labs/gradio_api"
FOUR = "/voodoohop"
BOTH = pytest.mark.parametrize("space", [FOUR, SIX])


def submit(client: httpx.Client, space: str, prompt: str, **headers: str) -> httpx.Response:
    """POST a call of `infer`."""
    return client.post(f"{space}/call/infer", json={"data": [prompt, 7, False, 256, 512, 4]}, headers=headers)


def start(client: httpx.Client, space: str, prompt: str) -> str:
    """Start a job; returns the URL of its stream."""
    return f"{space}/call/infer/{submit(client, space, prompt).raise_for_status().json()['event_id']}"


def read(client: httpx.Client, url: str) -> tuple[list[ServerSentEvent], bool]:
    """The events of a stream, and whether it was torn."""
    events: list[ServerSentEvent] = []
    try:
        with connect_sse(client, "GET", url) as stream:
            events.extend(stream.iter_sse())
    except httpx.RemoteProtocolError:
        return events, True
    return events, False


def last_event(client: httpx.Client, space: str, prompt: str) -> tuple[str, object]:
    """Event name and data at the end of a whole job."""
    events, torn = read(client, start(client, space, prompt))
    assert not torn
    assert {event.event for event in events[:-1]} <= {"heartbeat"}
    return events[-1].event, json.loads(events[-1].data)


def picture_url(client: httpx.Client, space: str, prompt: str) -> str:
    """The URL of a finished picture."""
    event, data = last_event(client, space, prompt)
    assert event == "complete"
    return data[0]["url"]


@BOTH
def test_a_picture_comes_on_the_host_and_path_the_client_used(client: httpx.Client, space: str) -> None:
    url = picture_url(client, space, "a fox")

    assert url.startswith(f"{client.base_url}{space}/file=/tmp/gradio/")
    answer = client.get(url)
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (256, 512)


def test_another_host_header_shows_in_the_url(client: httpx.Client) -> None:
    posted = submit(client, SIX, "a fox", host="space.test")
    events, _ = read(client, f"{SIX}/call/infer/{posted.json()['event_id']}")

    url = json.loads(events[-1].data)[0]["url"]
    assert url.startswith("http://space.test/black-forest-labs/gradio_api/file=")


@BOTH
def test_the_ledger_counts_what_was_accepted(client: httpx.Client, space: str, submissions: Submissions) -> None:
    submit(client, space, "a fox", **{"idempotency-key": "k1"})
    submit(client, space, "[fault http-503] a fox")

    (only,) = submissions()
    assert (only["prompt"], only["seed"], only["protocol"]) == ("a fox", 7, "gradio")
    assert only["idempotency_key"] == "k1"
    assert only["upstream"] in space


def test_the_ledger_answers_for_a_prompt(client: httpx.Client) -> None:
    for prompt in ("a fox", "a hare", "a fox"):
        submit(client, SIX, prompt)

    assert client.get("/_standin/submissions", params={"prompt": "a fox"}).json()["count"] == 2
    assert client.get("/_standin/submissions", params={"upstream": "voodoohop"}).json()["count"] == 0


@BOTH
@pytest.mark.parametrize(
    ("fault", "status"), [("http-429", 429), ("http-429-retry-after", 429), ("http-500", 500), ("http-503", 503)]
)
def test_http_faults_come_n_times(client: httpx.Client, space: str, fault: str, status: int) -> None:
    answers = [submit(client, space, f"[fault {fault} x2] a fox") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers.get("retry-after") == ("2" if fault == "http-429-retry-after" else None)
    assert list(answers[0].json()) == ["detail"]


def test_n_counts_over_all_upstreams(client: httpx.Client) -> None:
    answers = [submit(client, space, "[fault http-503 x1] a fox") for space in (SIX, FOUR)]

    assert [answer.status_code for answer in answers] == [503, 200]


@BOTH
def test_the_stream_can_fail_before_it_starts(client: httpx.Client, space: str) -> None:
    url = start(client, space, "[fault http-503 at check x1] a fox")

    assert client.get(url).status_code == 503
    assert read(client, url)[0][-1].event == "complete"


@pytest.mark.parametrize(("fault", "status"), [("html", 200), ("html-502", 502)])
def test_html_instead_of_json(client: httpx.Client, fault: str, status: int) -> None:
    answer = submit(client, SIX, f"[fault {fault}] a fox")

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


@BOTH
@pytest.mark.parametrize(("fault", "accepted"), [("hang", 0), ("accepted-then-hang", 1)])
def test_hanging_before_or_after_the_job_is_accepted(
    client: httpx.Client, space: str, fault: str, accepted: int, submissions: Submissions
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            f"{space}/call/infer",
            json={"data": [f"[fault {fault}]", 7, False, 256, 256, 4]},
            timeout=httpx.Timeout(10, read=0.5),
        )

    assert len(submissions()) == accepted


@BOTH
def test_a_dropped_stream_loses_the_result(client: httpx.Client, space: str, submissions: Submissions) -> None:
    url = start(client, space, "[fault drop x1] a fox")
    events, torn = read(client, url)
    again, _ = read(client, url)

    assert [event.event for event in events] == ["heartbeat"]
    assert torn
    assert again[-1].event == "error"
    assert again[-1].data.startswith('"404: ')
    assert last_event(client, space, "[fault drop x1] a fox")[0] == "complete"
    assert len(submissions()) == 2


def test_a_dropped_submission_was_accepted(client: httpx.Client, submissions: Submissions) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        submit(client, SIX, "[fault drop at submit] a fox")

    assert len(submissions()) == 1


@BOTH
def test_endless_heartbeats(client: httpx.Client, space: str) -> None:
    url = start(client, space, "[fault endless] a fox")

    with connect_sse(client, "GET", url) as stream:
        events = stream.iter_sse()
        assert {next(events).event for _ in range(5)} == {"heartbeat"}


@BOTH
def test_a_chopped_stream_says_the_same(client: httpx.Client, space: str) -> None:
    url = start(client, space, "[fault chopped] a fox")

    with client.stream("GET", url) as answer:
        body = b"".join(answer.iter_raw())
    assert b"event: complete\r\ndata: [" in body
    assert last_event(client, space, "[fault chopped] a fox")[0] == "complete"


@pytest.mark.parametrize(("fault", "text"), [("quota", QUOTA), ("refuse", REFUSAL), ("refuse-late", REFUSAL)])
def test_gradio_6_says_why(client: httpx.Client, fault: str, text: str) -> None:
    assert last_event(client, SIX, f"[fault {fault}] a fox") == (
        "error",
        {"error": text, "duration": 10, "visible": True, "title": "Error"},
    )


@pytest.mark.parametrize("fault", ["quota", "refuse", "refuse-late", "error"])
def test_gradio_4_says_nothing(client: httpx.Client, fault: str) -> None:
    assert last_event(client, FOUR, f"[fault {fault}] a fox") == ("error", None)


def test_gradio_6_says_nothing_of_a_crash(client: httpx.Client) -> None:
    assert last_event(client, SIX, "[fault error] a fox") == ("error", {"error": None})


def test_the_quota_text_says_when_to_retry() -> None:
    assert "Try again in 0:00:05" in QUOTA
    assert "60s requested vs. 42s left" in QUOTA


@pytest.mark.slow
@BOTH
def test_a_refusal_does_not_wait_and_a_late_one_does(client: httpx.Client, space: str) -> None:
    early = start(client, space, "[fault refuse][delay 30s] a fox")
    late = start(client, space, "[fault refuse-late][delay 2s] a fox")

    assert [event.event for event in read(client, early)[0]] == ["error"]
    assert read(client, late)[0][0].event == "heartbeat"


@BOTH
def test_no_image(client: httpx.Client, space: str) -> None:
    assert last_event(client, space, "[fault no-image] a fox") == ("complete", [None, 7])


@BOTH
def test_what_can_be_wrong_with_the_file(client: httpx.Client, space: str) -> None:
    answers = {
        fault: client.get(picture_url(client, space, f"[fault {fault}] a fox"))
        for fault in ("expired-url", "redirect-private", "wrong-type", "not-image", "truncated", "black", "slow")
    }

    assert answers["expired-url"].status_code == 404
    assert answers["redirect-private"].headers["location"].startswith("http://169.254.169.254/")
    assert answers["wrong-type"].headers["content-type"].startswith("text/plain")
    assert answers["wrong-type"].content.startswith(b"RIFF")
    assert answers["not-image"].headers["content-type"] == "image/webp"
    assert answers["not-image"].content.startswith(b"<!DOCTYPE html>")
    with pytest.raises(OSError, match=r"truncated|decoder"):
        Image.open(io.BytesIO(answers["truncated"].content)).load()
    assert set(Image.open(io.BytesIO(answers["black"].content)).convert("RGB").getextrema()) == {(0, 0)}
    assert Image.open(io.BytesIO(answers["slow"].content)).size == (256, 512)


@BOTH
def test_a_fault_at_fetch_leaves_the_next_fetch_alone(client: httpx.Client, space: str) -> None:
    url = picture_url(client, space, "[fault truncated at fetch x1] [fault http-500 at fetch x2] a fox")

    truncated, failed, whole = (client.get(url) for _ in range(3))
    assert failed.status_code == 500
    assert len(truncated.content) < len(whole.content)


@BOTH
def test_large_files(client: httpx.Client, space: str) -> None:
    file = client.get(picture_url(client, space, "[bytes 1500000] a fox")).content

    assert len(file) >= 1_500_000
    assert Image.open(io.BytesIO(file)).size == (256, 512)


@BOTH
def test_unknown_directives_are_refused(client: httpx.Client, space: str, submissions: Submissions) -> None:
    answer = submit(client, space, "[fault nonsense] a fox")

    assert answer.status_code == 400
    assert "known: http-429" in answer.json()["detail"]
    assert submissions() == []


def test_the_delay_counts_from_the_submission(client: httpx.Client) -> None:
    first = start(client, SIX, "[delay 300ms] one")
    second = start(client, SIX, "[delay 300ms] two")
    read(client, first)
    events, _ = read(client, second)

    assert [event.event for event in events] == ["complete"], "it ran while the other was read"
