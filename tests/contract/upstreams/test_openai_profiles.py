"""The stand-ins of servers that are compatible with OpenAI's Images API in their own way.

Contracts: docs/protocols/yandexart.md#ai-studio, docs/protocols/providers.md#together.
"""

import base64
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

Submissions = Callable[[], list[dict[str, object]]]

YANDEX = "/yandex-ai-studio/v1/images/generations"
TOGETHER = "/together/v1/images/generations"
MODEL = "art://folder/aliceai-image-art-3.0"


def yandex(client: httpx.Client, prompt: str = "a fox", **fields: Any) -> httpx.Response:
    """POST a request to Yandex AI Studio."""
    return client.post(YANDEX, json={"prompt": prompt, "model": MODEL} | fields)


def together(client: httpx.Client, prompt: str = "a fox", **fields: Any) -> httpx.Response:
    """POST a request to Together."""
    sent = {"prompt": prompt, "model": "m", "width": 512, "height": 256, "response_format": "base64"}
    return client.post(TOGETHER, json=sent | fields)


def inline(answer: httpx.Response) -> Image.Image:
    """The first picture of a base64 answer."""
    return Image.open(io.BytesIO(base64.b64decode(answer.raise_for_status().json()["data"][0]["b64_json"])))


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (1024, 1024)),
        ({"size": "1x1"}, (1024, 1024)),
        ({"size": "1024x1024"}, (1024, 1024)),
        ({"size": "1792x1024"}, (1344, 768)),
        ({"size": "7x4"}, (1344, 768)),
        ({"size": "1x1000"}, (64, 32384)),
    ],
    ids=str,
)
def test_yandex_takes_a_size_for_a_shape(client: httpx.Client, fields: Any, size: tuple[int, int]) -> None:
    image = inline(yandex(client, **fields))

    assert (image.format, image.size) == ("JPEG", size)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"n": 1}, 400),
        ({"response_format": "b64_json"}, 400),
        ({"quality": "auto"}, 400),
        ({"stream": False}, 400),
        ({"size": "auto"}, 400),
        ({"size": "0x1"}, 400),
        ({"prompt": ""}, 400),
        ({"prompt": "x" * 501}, 400),
        ({"model": "aliceai-image-art-3.0"}, 400),
        ({"model": None}, 400),
        ({"model": "art://folder/yandex-art/latest"}, 403),
        ({"prompt": "[fault refuse] a fox"}, 400),
        ({"prompt": "[fault quota] a fox"}, 429),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_yandex_refuses(client: httpx.Client, fields: Any, status: int, submissions: Submissions) -> None:
    answer = yandex(client, **fields)

    assert answer.status_code == status
    assert list(answer.json()["error"]) == ["message", "type"]
    assert submissions() == []


def test_yandex_ignores_what_it_does_not_know(client: httpx.Client) -> None:
    assert yandex(client, seed=5, negative_prompt="dogs", n=None).status_code == 200


def test_yandex_takes_both_schemes_of_keys(client: httpx.Client) -> None:
    for scheme, status in (("Bearer", 200), ("Api-Key", 200), ("Basic", 401)):
        headers = {"authorization": f"{scheme} x"}
        assert client.post(YANDEX, json={"prompt": "a fox", "model": MODEL}, headers=headers).status_code == status


@pytest.mark.parametrize("path", [YANDEX, TOGETHER])
def test_neither_edits(client: httpx.Client, path: str) -> None:
    answer = client.post(path.replace("generations", "edits"), json={"prompt": "a hat"})

    assert answer.status_code == 404
    assert "error" in answer.json()


def test_together_answers_with_a_list(client: httpx.Client, submissions: Submissions) -> None:
    answer = together(client, n=2, seed=5, steps=4)

    assert set(answer.json()) == {"id", "model", "object", "data"}
    assert [each["index"] for each in answer.json()["data"]] == [0, 1]
    assert (inline(answer).format, inline(answer).size) == ("JPEG", (512, 256))
    assert submissions()[0]["seed"] == 5


def test_together_answers_by_url_by_default(client: httpx.Client) -> None:
    [document] = together(client, response_format=None).json()["data"]

    assert client.get(document["url"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": None}, 400),
        ({"prompt": None}, 400),
        ({"response_format": "b64_json"}, 400),
        ({"n": 5}, 400),
        ({"width": 10}, 400),
        ({"steps": 0}, 400),
        ({"prompt": "[fault refuse] a fox"}, 400),
        ({"prompt": "[fault quota] a fox"}, 402),
    ],
    ids=str,
)
def test_what_together_refuses(client: httpx.Client, fields: Any, status: int, submissions: Submissions) -> None:
    answer = together(client, **fields)

    assert answer.status_code == status
    assert list(answer.json()["error"]) == ["message", "type", "code"]
    assert submissions() == []
