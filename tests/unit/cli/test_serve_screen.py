"""What a newcomer reads when `imagegate serve` has started."""

from pathlib import Path

import pytest

from imagegate.cli.serve_screen import ServeScreen
from imagegate.providers.routes_file import parse_routes

MINE = """\
[providers.mine]
protocol = "openai_images"
base_url = "https://mine.example.com/v1"
[models.mine]
route = ["mine/sdxl"]
"""


def shown(capsys: pytest.CaptureFixture[str], tmp_path: Path, *, live: bool, text: str = "") -> str:
    screen = ServeScreen(tmp_path)
    screen.running("http://127.0.0.1:1", live, False, None, table=parse_routes(text))
    return capsys.readouterr().out


def test_live_names_the_token_that_the_spaces_quota_belongs_to(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert f"secrets set HF_TOKEN --local --state-dir {tmp_path}" in shown(capsys, tmp_path, live=True)
    assert "HF_TOKEN" not in shown(capsys, tmp_path, live=False)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("", "flux"),
        (MINE, "mine"),
        (f"builtins = false\n{MINE}", "mine"),
        ("[models.flux]\nenabled = false", "gpt-image-2"),
    ],
)
def test_the_command_to_try_is_for_a_model_of_ones_own_or_one_without_a_key(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, model: str
) -> None:
    assert f'{{"model": "{model}"' in shown(capsys, tmp_path, live=False, text=text)
