"""The stand-in of OpenAI's edits and variations against docs/protocols/openai-images.md#edits."""

import base64
import io
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

Submissions = Callable[[], list[dict[str, object]]]

EDIT = "/openai/v1/images/edits"
VARY = "/openai/v1/images/variations"


def png(colour: str = "red", size: tuple[int, int] = (64, 48)) -> bytes:
    """A plain picture."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def edit(client: httpx.Client, *names: str, file: bytes | None = None, **fields: Any) -> httpx.Response:
    """POST a form with one file per name."""
    files = [(name, ("in.png", file or png(), "image/png")) for name in names]
    return client.post(EDIT, data={"prompt": "with a hat", "size": "512x512"} | fields, files=files)


def inline(answer: httpx.Response) -> Image.Image:
    """The first picture of a base64 answer."""
    return Image.open(io.BytesIO(base64.b64decode(answer.raise_for_status().json()["data"][0]["b64_json"])))


def pixels(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels are nearly of that colour (what came in was compressed)."""
    counted = image.convert("RGB").getcolors(2**24)
    return sum(count for count, found in counted if all(abs(a - b) < 20 for a, b in zip(found, colour, strict=True)))


@pytest.mark.parametrize("names", [("image",), ("image[]",), ("image[]", "image[]")])
def test_what_came_in_can_be_seen(client: httpx.Client, names: tuple[str, ...], submissions: Submissions) -> None:
    image = inline(edit(client, *names))

    assert image.size == (512, 512)
    assert pixels(image, (255, 0, 0)) > 20_000
    assert len(submissions()) == 1


def test_the_same_edit_is_the_same_picture(client: httpx.Client) -> None:
    first, again, other = (
        edit(client, "image", file=png(colour), seed="5").json()["data"] for colour in ("red", "red", "blue")
    )

    assert first == again != other


def test_numbers_come_as_text(client: httpx.Client) -> None:
    assert len(edit(client, "image", n="2").json()["data"]) == 2
    refused = edit(client, "image", n="two").json()["error"]
    assert (refused["code"], refused["param"]) == ("invalid_value", "n")


def test_the_json_form(client: httpx.Client) -> None:
    url = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    answer = client.post(EDIT, json={"prompt": "with a hat", "images": [{"image_url": url}], "size": "512x512"})

    assert pixels(inline(answer), (255, 0, 0)) > 20_000


@pytest.mark.parametrize("images", [[], [{"file_id": "x"}], [{"image_url": "https://example.com/a.png"}], ["x"]])
def test_what_the_json_form_cannot_read(client: httpx.Client, images: Any) -> None:
    answer = client.post(EDIT, json={"prompt": "with a hat", "images": images})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] in ("image", "images")


@pytest.mark.parametrize(
    ("names", "fields", "file", "code"),
    [
        (("other",), {}, None, "missing_required_parameter"),
        (("image[]",) * 17, {}, None, "invalid_value"),
        (("image",), {}, b"<html>", "invalid_image_file"),
        (("image",), {}, png()[:40], "invalid_image_file"),
        (("image", "mask"), {}, b"nope", "invalid_image_file"),
        (("image",), {"moderation": "low"}, None, "unknown_parameter"),
        (("image",), {"response_format": "b64_json"}, None, "unknown_parameter"),
        (("image",), {"prompt": "[fault nonsense]"}, None, "invalid_value"),
    ],
    ids=str,
)
def test_invalid_edits(
    client: httpx.Client, names: tuple[str, ...], fields: Any, file: bytes, code: str, submissions: Submissions
) -> None:
    answer = edit(client, *names, file=file, **fields)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert submissions() == []


def test_other_models_answer_by_url(client: httpx.Client) -> None:
    [document] = edit(client, "image", model="flux-kontext").json()["data"]

    assert pixels(Image.open(io.BytesIO(client.get(document["url"]).content)), (255, 0, 0)) > 20_000


def test_a_variation_takes_one_picture_and_no_prompt(client: httpx.Client) -> None:
    files = {"image": ("in.png", png(), "image/png")}
    good = client.post(VARY, data={"response_format": "b64_json", "size": "256x256"}, files=files)

    assert pixels(inline(good), (255, 0, 0)) > 5_000
    assert client.post(VARY, data={"prompt": "x"}, files=files).json()["error"]["code"] == "unknown_parameter"
    assert client.post(VARY, data={"n": "1"}).status_code == 400


def test_faults_meet_edits(client: httpx.Client, submissions: Submissions) -> None:
    assert edit(client, "image", prompt="[fault http-503 x1] a hat").status_code == 503
    assert edit(client, "image", prompt="[fault http-503 x1] a hat").status_code == 200
    assert len(submissions()) == 1


def test_a_key_is_needed(client: httpx.Client) -> None:
    files = {"image": ("in.png", png(), "image/png")}
    for path in (EDIT, VARY):
        assert client.post(path, files=files, headers={"authorization": ""}).status_code == 401


def test_the_real_sdk_reads_it(stand_ins: str) -> None:
    with openai.OpenAI(api_key="any", base_url=f"{stand_ins}/openai/v1", max_retries=0) as sdk:
        images = [("a.png", png("red")), ("b.png", png("blue"))]
        edited = sdk.images.edit(model="gpt-image-2", prompt="side by side", image=images, size="512x512")

    image = Image.open(io.BytesIO(base64.b64decode(edited.data[0].b64_json)))
    assert min(pixels(image, (255, 0, 0)), pixels(image, (0, 0, 255))) > 5_000
