"""`imagegate bridge yandex` before it listens; tests/integration/yandex_sdk has the rest."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegate.cli.main import app

BRIDGE = ["bridge", "yandex"]


def test_without_its_packages_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "google", None)
    result = CliRunner().invoke(app, [*BRIDGE, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr == (
        "imagegate: The bridge needs packages that are not installed (google). "
        "Install them with: pip install '.[bridge]'\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--url", "--text-url"])
@pytest.mark.parametrize("url", ["", "localhost:1337", "ftp://x", "https://", "http://x/?a=1"])
def test_what_is_no_url_is_said_before_anything_else(option: str, url: str) -> None:
    result = CliRunner().invoke(app, [*BRIDGE, option, url])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"imagegate: {option} is not a base URL: '{url}'.")
