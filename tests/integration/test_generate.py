"""`imagegate generate` on the embedded stack: every part of the road is the one of a deployment."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from imagegate.cli.client.order import LARGEST_FORM
from imagegate.cli.main import app
from imagegate.local.stack.stack import Stack
from support.terminal import CTRL_C, terminal

pytestmark = pytest.mark.slow


def test_a_picture_is_made_and_another_one_from_it(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGEGATE_URL", stack.base_url)
    first = CliRunner().invoke(app, ["generate", "a red fox", "-m", "flux", "-s", "3:2", "-o", "fox.png"])
    assert first.exit_code == 0, first.output
    with Image.open("fox.png") as picture:
        assert (picture.format, round(picture.width / picture.height, 1)) == ("PNG", 1.5)
    second = CliRunner().invoke(app, ["generate", "a hat on it", "-i", "fox.png", "-n", "2"])
    assert second.exit_code == 0, second.output
    document = json.loads(second.stdout)
    assert document["files"][1].startswith("a-hat-on-it-2.")
    for file in document["files"]:
        with Image.open(file) as picture:
            picture.load()


def test_a_photo_that_is_too_large_for_a_request_is_uploaded(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGEGATE_URL", stack.base_url)
    Image.effect_noise((2400, 2400), 80).convert("RGB").save("photo.png")
    assert Path("photo.png").stat().st_size > LARGEST_FORM
    result = CliRunner().invoke(app, ["generate", "a hat on it", "-i", "photo.png", "-o", "hat.png"])
    assert result.exit_code == 0, result.output
    with Image.open("hat.png") as picture:
        picture.load()


@pytest.mark.integration
@pytest.mark.xdist_group("served")
def test_a_gateway_is_served_for_one_call_and_goes_on_after_an_interruption(tmp_path: Path) -> None:
    call = (
        "generate",
        "[delay 4s] a red fox",
        "-m",
        "flux",
        "--serve",
        "--url",
        "http://127.0.0.1:18417",
        "-o",
        "fox.png",
    )
    with terminal(*call, folder=tmp_path) as shown:
        shown.expect("making it at")
        shown.type(CTRL_C)
        assert shown.wait() == 130, shown.text
        assert "Come back with: imagegate operations wait" in shown.text
    with terminal(*call, folder=tmp_path) as shown:
        assert shown.wait() == 0, shown.text
        assert "▀" in shown.text
        assert "\nfox.png\n" in shown.text
        assert "its studio at http://127.0.0.1:1337/" in shown.text
    assert (tmp_path / "fox.png").stat().st_size > 1000
