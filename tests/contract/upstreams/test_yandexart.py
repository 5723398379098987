"""YandexART's stand-in against the contract of docs/protocols/yandexart.md."""

import base64
import io
import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

Submissions = Callable[[], list[dict[str, object]]]

START = "/yandexart/foundationModels/v1/imageGenerationAsync"


def body(prompt: str, **options: Any) -> dict[str, Any]:
    """The documented request."""
    return {
        "modelUri": "art://folder/yandex-art/latest",
        "generationOptions": {"seed": "1863", "aspectRatio": {"widthRatio": "2", "heightRatio": "1"}} | options,
        "messages": [{"weight": "1", "text": prompt}],
    }


def start(client: httpx.Client, prompt: str, **options: Any) -> httpx.Response:
    """POST a request."""
    return client.post(START, json=body(prompt, **options))


def finish(client: httpx.Client, operation: str) -> dict[str, Any]:
    """The operation when it is done."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = client.get(f"/yandexart/operations/{operation}").json()
        if found["done"]:
            return found
    raise AssertionError("never done")


def run(client: httpx.Client, prompt: str, **options: Any) -> dict[str, Any]:
    """A whole generation."""
    return finish(client, start(client, prompt, **options).raise_for_status().json()["id"])


def picture(operation: dict[str, Any]) -> Image.Image:
    """The picture of a done operation."""
    return Image.open(io.BytesIO(base64.b64decode(operation["response"]["image"], validate=True)))


def test_the_pending_answer_is_the_documented_line(client: httpx.Client) -> None:
    answer = start(client, "a fox [delay 30s]")
    operation = answer.json()["id"]

    assert re.fullmatch("fbv[0-9a-z]{17}", operation)
    pending = (
        f'{{"id":"{operation}","description":"","createdAt":null,"createdBy":"","modifiedAt":null,'
        '"done":false,"metadata":null}'
    )
    assert answer.text == pending
    assert client.get(f"/yandexart/operations/{operation}").text == pending


def test_the_finished_answer_holds_a_jpeg(client: httpx.Client) -> None:
    done = run(client, "a fox")

    assert done["response"]["@type"].endswith("v1.image_generation.ImageGenerationResponse")
    assert done["response"]["modelVersion"] == ""
    assert "error" not in done
    assert picture(done).format == "JPEG"
    assert picture(done).size == (1456, 720)


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        (None, (1024, 1024)),
        ({}, (1024, 1024)),
        ({"widthRatio": 0, "heightRatio": "0"}, (1024, 1024)),
        ({"width_ratio": 1, "height_ratio": 4}, (512, 2048)),
    ],
)
def test_zero_and_absent_ratios_are_one(client: httpx.Client, ratio: Any, size: tuple[int, int]) -> None:
    assert picture(run(client, "a fox", aspectRatio=ratio)).size == size


def test_the_body_is_read_whatever_its_content_type(client: httpx.Client) -> None:
    content = json.dumps(body("a fox"))
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert client.post(START, content=content, headers=form).status_code == 200


@pytest.mark.parametrize("seed", [1863, "1863", 5.0, "5.0", None, 0, "0"])
def test_seeds_are_read_as_protobuf_does(client: httpx.Client, seed: Any, submissions: Submissions) -> None:
    assert start(client, "a fox", seed=seed).status_code == 200
    (only,) = submissions()
    assert only["seed"] == (int(float(seed)) if seed not in (None, 0, "0") else only["seed"])
    assert only["seed"] > 0


def unfit(change: dict[str, Any]) -> dict[str, Any]:
    """The documented request with some fields replaced."""
    return body("a fox") | change


@pytest.mark.parametrize(
    "change",
    [
        {"modelUri": "yandex-art/latest"},
        {"modelUri": "art://folder"},
        {"modelUri": None},
        {"messages": []},
        {"messages": None},
        {"messages": [None]},
        {"messages": [{"text": 7}]},
        {"messages": [{"text": "a", "weight": "abc"}]},
        {"messages": [{"text": "x" * 501}]},
        {"messages": [{"text": "x" * 300}, {"text": "y" * 300}]},
        {"generationOptions": {"seed": ""}},
        {"generationOptions": {"seed": True}},
        {"generationOptions": {"seed": 5.5}},
        {"generationOptions": {"seed": str(2**63)}},
        {"generationOptions": {"seed": -1}},
        {"generationOptions": {"mimeType": "image/png"}},
        {"generationOptions": {"aspectRatio": {"widthRatio": "wide"}}},
        {"generationOptions": []},
    ],
    ids=str,
)
def test_invalid_arguments(client: httpx.Client, change: dict[str, Any], submissions: Submissions) -> None:
    answer = client.post(START, json=unfit(change))
    error = answer.json()

    assert (answer.status_code, error["code"], error["details"]) == (400, 3, [])
    assert error["error"] == error["message"]
    assert submissions() == []


@pytest.mark.parametrize("weight", [1, "1", 1.5, "-0.5", None, "NaN"])
def test_weights_are_accepted(client: httpx.Client, weight: Any) -> None:
    messages = [{"text": "a fox", "weight": weight}]

    assert client.post(START, json=unfit({"messages": messages, "temperature": 1})).status_code == 200


def test_500_characters_are_accepted(client: httpx.Client) -> None:
    assert start(client, "ж" * 500).status_code == 200


def test_the_newer_model_is_not_for_this_method(client: httpx.Client) -> None:
    answer = client.post(START, json=unfit({"modelUri": "art://folder/aliceai-image-art-3.0"}))

    assert (answer.status_code, answer.json()["code"]) == (400, 9)


def test_broken_json(client: httpx.Client) -> None:
    answer = client.post(START, content=b"{not json")

    assert (answer.status_code, answer.json()["code"]) == (400, 3)


@pytest.mark.parametrize("authorization", ["", "Api-Key", "Basic abc"])
def test_a_key_is_needed(client: httpx.Client, authorization: str) -> None:
    headers = {"authorization": authorization}
    answers = [
        client.post(START, json=body("a fox"), headers=headers),
        client.get("/yandexart/operations/x", headers=headers),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, 16)] * 2


def test_both_schemes_of_keys_are_taken(client: httpx.Client) -> None:
    for scheme in ("Bearer", "Api-Key", "Api-key"):
        answer = client.post(START, json=body("a fox"), headers={"authorization": f"{scheme} x"})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/yandexart/operations/fbv00000000000000000", "/yandexart/operations/x:cancel"])
def test_unknown_operations(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, 5)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("verb", [":cancel", "%3Acancel"])
def test_cancel(client: httpx.Client, method: str, verb: str) -> None:
    operation = start(client, "[delay 30s] a fox").json()["id"]
    answer = client.request(method, f"/yandexart/operations/{operation}{verb}")

    assert answer.json()["error"]["code"] == 1
    assert finish(client, operation)["error"]["code"] == 1


def test_cancelling_what_is_done_changes_nothing(client: httpx.Client) -> None:
    done = run(client, "a fox")

    assert client.post(f"/yandexart/operations/{done['id']}:cancel").json() == done


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("http-429", 429, 8),
        ("http-500", 500, 13),
        ("http-503", 503, 14),
        ("quota", 429, 8),
        ("quota-gauge", 429, 8),
        ("refuse", 400, 3),
        ("refuse-in-russian", 400, 3),
        ("grpc-1", 499, 1),
        ("grpc-4", 504, 4),
        ("grpc-5", 404, 5),
        ("grpc-6", 409, 6),
        ("grpc-7", 403, 7),
        ("grpc-10", 409, 10),
        ("grpc-12", 501, 12),
        ("nonsense", 400, 3),
        ("expired-url", 400, 3),
    ],
)
def test_faults_at_the_post(client: httpx.Client, fault: str, status: int, code: int, submissions: Submissions) -> None:
    answer = start(client, f"[fault {fault}] a fox")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["error"] == answer.json()["message"]
    assert submissions() == []


def test_a_rejected_token_comes_in_the_design_guides_shape(client: httpx.Client) -> None:
    for answer in (
        start(client, "[fault grpc-16] a fox"),
        client.get("/yandexart/operations/x", headers={"authorization": ""}),
    ):
        assert answer.status_code == 401
        assert set(answer.json()) == {"code", "message", "details"}
        assert answer.json()["code"] == 16
        assert answer.json()["details"][0]["@type"].endswith("google.rpc.RequestInfo")


@pytest.mark.parametrize("fault", ["grpc-1", "grpc-4", "grpc-5", "grpc-6", "grpc-7", "grpc-10", "grpc-12", "grpc-16"])
def test_any_call_can_be_refused(client: httpx.Client, fault: str) -> None:
    operation = start(client, f"[delay 0s] [fault {fault} at check x1] a fox").json()["id"]
    refused = client.get(f"/yandexart/operations/{operation}")

    assert refused.json()["code"] == int(fault.removeprefix("grpc-"))
    assert finish(client, operation)["response"]


def test_a_folder_that_is_not_the_callers(client: httpx.Client, submissions: Submissions) -> None:
    answer = client.post(START, json=body("a fox"), headers={"x-folder-id": "other"})

    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert "does not match" in answer.json()["message"]
    assert client.post(START, json=body("a fox"), headers={"x-folder-id": "folder"}).status_code == 200
    assert len(submissions()) == 1


def test_every_answer_has_ids(client: httpx.Client) -> None:
    for answer in (
        start(client, "a fox"),
        start(client, "[fault refuse] a fox"),
        client.get("/yandexart/operations/x"),
    ):
        assert answer.headers["x-request-id"]
        assert answer.headers["x-server-trace-id"]


@pytest.mark.parametrize(("said", "private"), [("false", True), ("true", False), (None, False)])
def test_the_ledger_knows_who_wanted_no_logging(
    client: httpx.Client, submissions: Submissions, said: str | None, private: bool
) -> None:
    headers = {"x-data-logging-enabled": said} if said else {}
    assert client.post(START, json=body("a fox"), headers=headers).status_code == 200
    assert [each["private"] for each in submissions()] == [private]


def test_an_error_can_show_before_the_end(client: httpx.Client) -> None:
    operation = start(client, "[delay 100ms] [fault error-early] a fox").json()
    assert (operation["done"], operation["error"]["code"]) == (False, 13)
    assert finish(client, operation["id"])["error"]["code"] == 13


@pytest.mark.parametrize(("fault", "code"), [("refuse-late", 3), ("error", 13), ("error-early", 13)])
def test_faults_at_the_end(client: httpx.Client, fault: str, code: int) -> None:
    done = run(client, f"[fault {fault}] a fox")

    assert done["error"]["code"] == code
    assert "response" not in done


def test_a_refusal_comes_n_times(client: httpx.Client) -> None:
    outcomes = [run(client, "[fault refuse-late x1] a fox") for _ in range(2)]

    assert ["error" in outcome for outcome in outcomes] == [True, False]


def test_polls_can_fail(client: httpx.Client) -> None:
    operation = start(client, "[fault http-429-retry-after at check x1] [fault html at check x2] a fox").json()["id"]
    url = f"/yandexart/operations/{operation}"
    limited, page, good = (client.get(url) for _ in range(3))

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "2")
    assert page.headers["content-type"].startswith("text/html")
    assert good.json()["id"] == operation


def test_endless(client: httpx.Client) -> None:
    operation = start(client, "[fault endless][delay 0s] a fox").json()["id"]

    assert client.get(f"/yandexart/operations/{operation}").json()["done"] is False
    assert client.post(f"/yandexart/operations/{operation}:cancel").json()["done"] is True


@pytest.mark.parametrize(("fault", "accepted"), [("hang", 0), ("accepted-then-hang", 1)])
def test_hanging(client: httpx.Client, fault: str, accepted: int, submissions: Submissions) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(START, json=body(f"[fault {fault}] a fox"), timeout=httpx.Timeout(10, read=0.5))

    assert len(submissions()) == accepted


def test_a_dropped_answer_was_accepted(client: httpx.Client, submissions: Submissions) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        start(client, "[fault drop] a fox")

    assert len(submissions()) == 1


def test_what_can_be_wrong_with_the_picture(client: httpx.Client) -> None:
    with pytest.raises(OSError, match="truncated"):
        picture(run(client, "[fault truncated] a fox")).load()
    page = base64.b64decode(run(client, "[fault not-image] a fox")["response"]["image"])
    assert page.startswith(b"<!DOCTYPE html>")
    assert set(picture(run(client, "[fault black] a fox")).getextrema()) == {(0, 0)}
    assert run(client, "[fault no-image] a fox")["response"]["image"] == ""


def test_large_pictures(client: httpx.Client) -> None:
    image = run(client, "[bytes 1627801] a fox")["response"]["image"]

    assert len(base64.b64decode(image)) >= 1_627_801
