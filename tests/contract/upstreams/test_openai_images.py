"""The stand-in of OpenAI's Images API against docs/protocols/openai-images.md."""

import base64
import io
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

Submissions = Callable[[], list[dict[str, object]]]

CREATE = "/openai/v1/images/generations"


def create(client: httpx.Client, prompt: str = "a fox", **fields: Any) -> httpx.Response:
    """POST a request."""
    return client.post(CREATE, json={"prompt": prompt, "model": "flux-schnell", "size": "256x512"} | fields)


def inline(answer: httpx.Response) -> Image.Image:
    """The first picture of a base64 answer."""
    return Image.open(io.BytesIO(base64.b64decode(answer.raise_for_status().json()["data"][0]["b64_json"])))


@pytest.mark.parametrize("wanted", [{}, {"response_format": "url"}, {"response_format": None}], ids=str)
def test_a_url_is_the_default(client: httpx.Client, wanted: dict[str, Any]) -> None:
    (document,) = create(client, **wanted).raise_for_status().json()["data"]

    assert list(document) == ["url"]
    assert document["url"].startswith(f"{client.base_url}/openai/files/")
    answer = httpx.get(document["url"])
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (256, 512)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_base64_in_every_format(client: httpx.Client, output_format: str) -> None:
    answer = create(client, response_format="b64_json", output_format=output_format)

    assert inline(answer).format == output_format.upper()
    assert list(answer.json()["data"][0]) == ["b64_json"]


@pytest.mark.parametrize("model", ["gpt-image-1", "gpt-image-2.5-flare", "chatgpt-image-latest"])
def test_gpt_image_models_know_only_base64(client: httpx.Client, model: str) -> None:
    assert inline(create(client, model=model)).size == (256, 512)
    refused = create(client, model=model, response_format="b64_json")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "unknown_parameter"
    assert refused.json()["error"]["param"] == "response_format"


def test_several_pictures_differ(client: httpx.Client, submissions: Submissions) -> None:
    document = create(client, n=3, seed=5, response_format="b64_json").json()["data"]

    assert len({each["b64_json"] for each in document}) == 3
    (only,) = submissions()
    assert only["seed"] == 5


def test_the_same_seed_gives_the_same_picture(client: httpx.Client) -> None:
    first, other = (create(client, seed=5, response_format="b64_json").json()["data"] for _ in range(2))

    assert first == other


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"prompt": None}, "missing_required_parameter", "prompt"),
        ({"n": 0}, "invalid_value", "n"),
        ({"n": 11}, "invalid_value", "n"),
        ({"n": "two"}, "invalid_value", "n"),
        ({"size": "big"}, "invalid_size", "size"),
        ({"size": "99999x99999"}, "invalid_size", "size"),
        ({"size": "5000x16"}, "invalid_size", "size"),
        ({"output_format": "bmp"}, "invalid_value", "output_format"),
        ({"response_format": "file"}, "invalid_value", "response_format"),
        ({"stream": True}, "unsupported_parameter", "stream"),
        ({"prompt": "[fault nonsense]"}, "invalid_value", "prompt"),
        ({"prompt": "[fault endless]"}, "invalid_value", "prompt"),
        ({"prompt": "[fault slow]", "response_format": "b64_json"}, "invalid_value", "prompt"),
    ],
    ids=str,
)
def test_invalid_requests(
    client: httpx.Client, fields: dict[str, Any], code: str, param: str, submissions: Submissions
) -> None:
    answer = create(client, **fields)
    error = answer.json()["error"]

    assert answer.status_code == 400
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert submissions() == []


@pytest.mark.parametrize("authorization", ["", "Bearer", "Api-Key x"])
def test_a_bearer_key_is_needed(client: httpx.Client, authorization: str) -> None:
    answer = client.post(CREATE, json={"prompt": "a fox"}, headers={"authorization": authorization})

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_models(client: httpx.Client) -> None:
    listed = client.get("/openai/v1/models").json()

    assert listed["object"] == "list"
    assert client.get("/openai/v1/models/gpt-image-1").json() in listed["data"]
    assert client.get("/openai/v1/models/nope").json()["error"]["code"] == "model_not_found"


def test_the_real_sdk_reads_it(stand_ins: str) -> None:
    with openai.OpenAI(api_key="any", base_url=f"{stand_ins}/openai/v1", max_retries=0) as sdk:
        (document,) = sdk.images.generate(model="flux-schnell", prompt="a fox", size="256x256", n=1).data
        assert httpx.get(document.url).status_code == 200
        assert "flux-schnell" in {model.id for model in sdk.models.list()}
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.images.generate(model="flux-schnell", prompt="[fault refuse] a fox")

    assert refused.value.code == "moderation_blocked"


@pytest.mark.parametrize(
    ("fault", "status", "code", "accepted"),
    [
        ("http-429", 429, "rate_limit_exceeded", 0),
        ("http-500", 500, "server_error", 0),
        ("http-503", 503, "server_error", 0),
        ("quota", 429, "insufficient_quota", 0),
        ("refuse", 400, "moderation_blocked", 0),
        ("refuse-late", 400, "moderation_blocked", 1),
        ("error", 500, "server_error", 1),
    ],
)
def test_faults(
    client: httpx.Client, fault: str, status: int, code: str, accepted: int, submissions: Submissions
) -> None:
    answer = create(client, f"[fault {fault} x1] a fox")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert len(submissions()) == accepted
    assert create(client, f"[fault {fault} x1] a fox").status_code == 200


@pytest.mark.parametrize(("fault", "accepted"), [("hang", 0), ("accepted-then-hang", 1)])
def test_hanging(client: httpx.Client, fault: str, accepted: int, submissions: Submissions) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(CREATE, json={"prompt": f"[fault {fault}] a fox"}, timeout=httpx.Timeout(10, read=0.5))

    assert len(submissions()) == accepted


def test_a_dropped_answer_was_accepted(client: httpx.Client, submissions: Submissions) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        create(client, "[fault drop] a fox")

    assert len(submissions()) == 1


def test_no_image(client: httpx.Client) -> None:
    assert create(client, "[fault no-image] a fox").json()["data"] == []


def test_what_can_be_wrong_with_an_inline_picture(client: httpx.Client) -> None:
    with pytest.raises(OSError, match="truncated"):
        inline(create(client, "[fault truncated] a fox", response_format="b64_json")).load()
    black = inline(create(client, "[fault black] a fox", response_format="b64_json"))
    assert set(black.getextrema()) == {(0, 0)}


def test_what_can_be_wrong_with_a_url(client: httpx.Client) -> None:
    urls = {
        fault: create(client, f"[fault {fault}] a fox").json()["data"][0]["url"]
        for fault in ("expired-url", "redirect-private", "wrong-type", "slow", "http-500 at fetch")
    }

    assert client.get(urls["expired-url"]).status_code == 404
    assert client.get(urls["redirect-private"]).headers["location"].startswith("http://169.254.169.254/")
    assert client.get(urls["wrong-type"]).headers["content-type"].startswith("text/plain")
    assert client.get(urls["slow"]).content.startswith(b"\x89PNG")
    assert client.get(urls["http-500 at fetch"]).status_code == 500


def test_large_files(client: httpx.Client) -> None:
    answer = create(client, "[bytes 1500000] a fox", response_format="b64_json")

    assert len(base64.b64decode(answer.json()["data"][0]["b64_json"])) >= 1_500_000
    assert inline(answer).size == (256, 512)
