"""A photograph of 20 MB that is edited: with OpenAI's package and with the command line."""

import base64
import io
import os
from functools import cache
from pathlib import Path

import openai
import requests
from PIL import Image
from typer.testing import CliRunner

from imagegate.cli.main import app

_SIDE = 2620


@cache
def large_photo() -> bytes:
    """More than 20 MB, for its noise cannot be compressed."""
    out = io.BytesIO()
    Image.frombytes("RGB", (_SIDE, _SIDE), os.urandom(_SIDE * _SIDE * 3)).save(out, "PNG", compress_level=0)
    assert len(out.getvalue()) > 20_000_000
    return out.getvalue()


def edit_with_openai(base_url: str, key: str) -> str:
    """The format of what the package `openai` gets for an upload of the photograph."""
    authorization = {"Authorization": f"Bearer {key}"}
    form = requests.post(f"{base_url}/v1/uploads", json={"content_type": "image/png"}, headers=authorization).json()
    sent = requests.post(form["url"], data=form["fields"], files={"file": large_photo()})
    assert sent.status_code == 204, sent.text
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=key) as client:
        answer = client.images.generate(model="gpt-image-2", prompt="a hat", extra_body={"image": form["image"]})
    assert answer.data
    assert answer.data[0].b64_json
    return _format(base64.b64decode(answer.data[0].b64_json))


def edit_with_cli(base_url: str, key: str, folder: Path) -> str:
    """The format of what `imagegate generate -i` saves for the photograph."""
    photo, edited = folder / "photo.png", folder / "hat.png"
    photo.write_bytes(large_photo())
    command = ["generate", "a hat on it", "-i", str(photo), "-o", str(edited)]
    result = CliRunner().invoke(app, command, env={"IMAGEGATE_URL": base_url, "IMAGEGATE_API_KEY": key})
    assert result.exit_code == 0, result.output
    return _format(edited.read_bytes())


def _format(body: bytes) -> str:
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return str(image.format)
