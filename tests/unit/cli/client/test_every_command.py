"""Every command on a pseudo-terminal and piped: with nothing running, and with a wrong key."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from imagegate.cli.client.exits import Exit
from support.cli_gateway import CliGateway
from support.fakes import picture
from support.terminal import CTRL_C, terminal
from unit.cli.test_help import ROOT, commands

ID = "0" * 20
OF_A_GATEWAY = (
    ("generate", "a fox"),
    ("usage",),
    ("operations", "list"),
    ("operations", "show", ID),
    ("operations", "wait", ID),
    ("operations", "cancel", ID),
    ("operations", "retry", ID),
    ("operations", "delete", ID, "--yes"),
    ("operations", "deliveries", ID),
    ("operations", "redeliver", ID),
)
OF_A_DEPLOYMENT = (
    ("keys", "create", "--name", "a"),
    ("keys", "list"),
    ("keys", "revoke", ID),
    ("keys", "rotate", ID),
    ("keys", "usage", ID),
    ("keys", "webhook", ID, "--off"),
    ("secrets", "set", "FAL_KEY"),
    ("secrets", "list"),
    ("events", "tail"),
    ("events", "refused"),
    ("routes", "push", "imagegate.toml"),
    ("routes", "pull"),
    ("routes", "diff", "imagegate.toml"),
    ("routes", "history"),
    ("routes", "rollback", "1"),
    ("signing", "set", "--self-signed"),
    ("signing", "show"),
    ("models",),
    ("providers",),
    ("providers", "check", "fal"),
)
ALONE = {
    ("openapi",): '"openapi": "3.1.0"',
    ("routes", "schema"): '"$schema"',
    ("routes", "check", "imagegate.toml"): "imagegate.toml is right",
    ("env",): "export OPENAI_BASE_URL=",
    ("provenance", "fox.png"): "fox.png",
    ("doctor",): "Python",
    ("providers", "add", "mine", "--protocol", "openai_images", "--base-url", "https://x.example/v1"): "mine",
    ("models",): "flux",
}
"""Commands that need nothing else, and what they show."""
ELSEWHERE = {
    ("bridge", "yandex"): "tests/unit/cli/test_bridge.py",
    ("deploy",): "tests/unit/cli/deploy",
    ("destroy",): "tests/unit/cli/deploy",
    ("login",): "test_terminal.py",
    ("mcp",): "test_mcp.py",
    ("open",): "test_terminal.py",
    ("serve",): "tests/e2e/test_serve.py",
    ("tables",): "tests/unit/test_generated_docs.py",
    ("schemas",): "tests/unit/cli/test_schemas.py",
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """What the commands are given."""
    (tmp_path / "imagegate.toml").write_text("")
    (tmp_path / "fox.png").write_bytes(picture())


def test_no_command_is_left_out() -> None:
    tried = {*OF_A_GATEWAY, *OF_A_DEPLOYMENT, *ALONE, *ELSEWHERE}
    left = [words for words in commands(ROOT) if words and not any(call[: len(words)] == words for call in tried)]
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("call", OF_A_GATEWAY, ids=" ".join)
def test_without_a_gateway_it_says_so(call: tuple[str, ...], tmp_path: Path) -> None:
    with terminal(*call, folder=tmp_path, IMAGEGATE_URL="http://127.0.0.1:9") as shown:
        assert shown.wait() == Exit.NO_GATEWAY, shown.text
        assert "No gateway answers" in shown.text
        assert "Start it, or name another." in shown.text


@pytest.mark.parametrize("call", OF_A_GATEWAY, ids=" ".join)
def test_a_wrong_key_is_refused(call: tuple[str, ...], closed: CliGateway, tmp_path: Path) -> None:
    variables = {"IMAGEGATE_URL": closed.url, "IMAGEGATE_API_KEY": "ig_wrong"}
    with terminal(*call, folder=tmp_path, **variables) as shown:
        assert shown.wait() == Exit.NO_KEY, shown.text
        assert "login" in shown.text
        assert "ig_wrong" not in shown.text


@pytest.mark.slow
@pytest.mark.parametrize("call", OF_A_DEPLOYMENT, ids=" ".join)
def test_without_a_stack_it_says_how_to_start_one(call: tuple[str, ...], tmp_path: Path) -> None:
    with terminal(*call, "--local", folder=tmp_path) as shown:
        assert shown.wait() == Exit.REFUSED, shown.text
        assert "imagegate serve" in shown.text
        assert "Traceback" not in shown.text


@pytest.mark.slow
@pytest.mark.parametrize(("call", "text"), ALONE.items(), ids=map(" ".join, ALONE))
def test_it_needs_nothing_else(call: tuple[str, ...], text: str, tmp_path: Path) -> None:
    with terminal(*call, folder=tmp_path) as shown:
        assert shown.wait() == Exit.DONE, shown.text
        assert text in shown.text


@pytest.mark.slow
@pytest.mark.parametrize("call", OF_A_GATEWAY[1:3], ids=" ".join)
def test_piped_it_is_json(call: tuple[str, ...], gateway: CliGateway, tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("imagegate"), *call]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "IMAGEGATE_URL": gateway.url}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert isinstance(json.loads(done.stdout), dict | list)


def test_ctrl_c_ends_a_question(tmp_path: Path) -> None:
    with terminal("login", "http://127.0.0.1:9", folder=tmp_path) as shown:
        shown.expect("API key for")
        shown.type(CTRL_C)
        assert shown.wait() in (Exit.REFUSED, Exit.INTERRUPTED), shown.text
        assert "Traceback" not in shown.text
