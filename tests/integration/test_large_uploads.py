"""A picture that is larger than a request may be, on the embedded stack."""

import base64
import io
import os

import openai
import pytest
import requests
from PIL import Image

from imagegate.local.stack.stack import Stack


@pytest.fixture(scope="module")
def photo() -> bytes:
    """More than 20 MB, for its noise cannot be compressed."""
    out, side = io.BytesIO(), 2620
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG", compress_level=0)
    assert len(out.getvalue()) > 20_000_000
    return out.getvalue()


def form_for(stack: Stack) -> tuple[str, dict[str, str], str]:
    form = requests.post(f"{stack.base_url}/v1/uploads", json={"content_type": "image/png"}).json()
    return form["url"], form["fields"], form["id"]


def test_a_photo_of_20_megabytes_is_edited_with_the_openai_package(stack: Stack, photo: bytes) -> None:
    url, fields, upload_id = form_for(stack)
    sent = requests.post(url, data=fields, files={"file": photo})
    assert sent.status_code == 204, sent.text
    with openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key="x") as client:
        answer = client.images.generate(
            model="gpt-image-2", prompt="a hat", extra_body={"image": {"upload": upload_id}}
        )
    assert answer.data
    assert answer.data[0].b64_json
    with Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json))) as image:
        assert image.format == "PNG"


def test_a_form_takes_what_it_was_signed_for_and_nothing_else(stack: Stack) -> None:
    url, fields, _ = form_for(stack)
    small = {"file": b"\x89PNG\r\n\x1a\n"}
    unsigned = {name: value for name, value in fields.items() if not name.startswith("x-amz-")}
    wrong = [
        {**fields, "key": "images/a"},
        {**fields, "Content-Type": "text/html"},
        {**fields, "x-amz-signature": "0" * 64},
        {name: value for name, value in fields.items() if name != "policy"},
        unsigned,
        {"key": "uploads/a"},
    ]
    for altered in wrong:
        assert requests.post(url, data=altered, files=small).status_code in (400, 403), altered
    too_large = requests.post(url, data=fields, files={"file": bytes(33 * 1024 * 1024)})
    assert too_large.status_code == 400
    assert requests.post(f"{stack.aws_endpoint}/_ministack/reset", data=fields, files=small).status_code == 403
    queue = f"{stack.aws_endpoint}/"
    answer = requests.post(queue, data=fields, files=small, headers={"X-Amz-Target": "AmazonSQS.ListQueues"})
    assert answer.status_code in (400, 403, 404, 405)
    assert requests.post(url, data=fields, files=small).status_code == 204
