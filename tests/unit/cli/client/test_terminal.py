"""Commands of a gateway's user on a pseudo-terminal: what a person sees, types and interrupts."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.operation.operation import State
from support.cli_gateway import CliGateway
from support.fakes import picture
from support.terminal import COLUMNS, CTRL_C, terminal

pytestmark = pytest.mark.slow

ID = re.compile(r"\b[0-9a-z]{20}\b")


def started(gateway: CliGateway, prompt: str, **more: object) -> str:
    """The id of a new operation."""
    answer = httpx.post(f"{gateway.url}/v1/operations", json={"model": "flux", "prompt": prompt, **more})
    return str(answer.json()["id"])


def test_generate_shows_the_picture_and_prints_its_path(gateway: CliGateway, tmp_path: Path) -> None:
    with terminal("generate", "a red fox", folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
        assert shown.wait() == 0, shown.text
        assert "▀" in shown.text
        assert re.search(r"alpha · 64x48 · seed 7 · [0-9.]+ s · operation ", shown.text)
        assert shown.text.endswith("\na-red-fox.png\n")
    assert (tmp_path / "a-red-fox.png").read_bytes() == picture()


def test_a_terminal_that_draws_pictures_gets_one(gateway: CliGateway, tmp_path: Path) -> None:
    for variables, sequence in (
        ({"TERM": "xterm-kitty"}, "\x1b_Ga=T,f=100"),
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]1337;File=inline=1"),
    ):
        with terminal("generate", "a fox", folder=tmp_path, IMAGEGATE_URL=gateway.url, **variables) as shown:
            assert shown.wait() == 0, shown.text
            assert sequence in shown.raw
            assert "▀" not in shown.raw


def test_a_live_line_follows_the_operation(gateway: CliGateway, tmp_path: Path) -> None:
    with terminal("generate", "slow fox", folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
        shown.expect("queued · ")
        gateway.painter.end(gateway.painter.runs[-1][0], State.SUCCEEDED)
        assert shown.wait() == 0, shown.text
        assert shown.text.endswith("\nslow-fox.png\n")


def test_ctrl_c_leaves_the_operation_and_says_how_to_come_back(gateway: CliGateway, tmp_path: Path) -> None:
    with terminal("generate", "slow fox", "-o", "fox one.png", folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
        shown.expect("queued")
        shown.type(CTRL_C)
        assert shown.wait() == 130, shown.text
        command = re.search(r"Come back with: imagegate (operations wait (\w{20}) -o 'fox one.png')", shown.text)
        assert command, shown.text
    found = gateway.made.store.get(command[2])
    assert found
    assert not found.done
    gateway.painter.end(command[2], State.SUCCEEDED)
    again = ("operations", "wait", command[2], "-o", "fox one.png")
    with terminal(*again, folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
        assert shown.wait() == 0, shown.text
    assert (tmp_path / "fox one.png").read_bytes() == picture()


def test_without_a_server_it_says_how_to_get_one(tmp_path: Path) -> None:
    closed_port = "http://127.0.0.1:9"
    for arguments in (("generate", "a fox"), ("operations", "list"), ("usage",), ("open",), ("login", closed_port)):
        with terminal(*arguments, folder=tmp_path, IMAGEGATE_URL=closed_port) as shown:
            if arguments[0] == "login":
                shown.expect("API key for")
                shown.type("\n")
            assert shown.wait() == 3, shown.text
            assert f"No gateway answers at {closed_port}" in shown.text


def test_login_takes_the_key_without_echo_and_keeps_it_from_others(closed: CliGateway, tmp_path: Path) -> None:
    _, key = closed.made.key()
    with terminal("login", closed.url, folder=tmp_path) as shown:
        shown.expect("API key for")
        shown.type(key + "\n")
        assert shown.wait() == 0, shown.text
        assert key not in shown.raw
    [kept] = (tmp_path / ".config").rglob("profiles.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["default"] == {"url": closed.url, "key": key}
    with terminal("generate", "a fox", folder=tmp_path) as shown:
        assert shown.wait() == 0, shown.text
    assert "authorization" not in closed.bucket.asked[-1], "the key is not sent to the bucket"


def test_a_wrong_key_has_an_exit_status_of_its_own(closed: CliGateway, tmp_path: Path) -> None:
    variables = {"IMAGEGATE_URL": closed.url, "IMAGEGATE_API_KEY": "ig_wrong"}
    for arguments in (("generate", "a fox"), ("operations", "list"), ("usage",)):
        with terminal(*arguments, folder=tmp_path, **variables) as shown:
            assert shown.wait() == 4, shown.text
            assert "login" in shown.text
            assert "ig_wrong" not in shown.text
    with terminal("login", closed.url, folder=tmp_path) as shown:
        shown.expect("API key for")
        shown.type("ig_wrong\n")
        assert shown.wait() == 4, shown.text
    assert not list(tmp_path.rglob("profiles.json"))


def test_operations_are_listed_shown_and_changed(gateway: CliGateway, tmp_path: Path) -> None:
    failed, slow = started(gateway, "a forbidden \x9bfox " + "x" * 200), started(gateway, "slow fox")
    steps = (
        (("list", "--limit", "2"), "slow fox"),
        (("show", failed), "content_filtered: The prompt is not allowed."),
        (("cancel", slow), f"{slow}  cancelled"),
        (("retry", failed), f"operations wait {failed}"),
        (("deliveries", failed), "Nothing was sent"),
    )
    for arguments, text in steps:
        with terminal("operations", *arguments, folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
            assert shown.wait() == 0, (arguments, shown.text)
            assert text in shown.text
            assert "\x9b" not in shown.raw
            assert all(len(line) <= COLUMNS for line in shown.text.split("\n")) or arguments[0] != "list"


def test_usage_open_and_env_show_what_they_are_about(gateway: CliGateway, closed: CliGateway, tmp_path: Path) -> None:
    _, text = closed.made.key(limits=KeyLimits(pictures_per_day=5))
    cases = (
        (("usage",), closed.url, "pictures=5"),
        (("usage",), gateway.url, "asks for no key"),
        (("env",), gateway.url, f"export OPENAI_BASE_URL={gateway.url}/v1"),
    )
    for arguments, url, expected in cases:
        with terminal(*arguments, folder=tmp_path, IMAGEGATE_URL=url, IMAGEGATE_API_KEY=text) as shown:
            assert shown.wait() == 0, shown.text
            assert expected in shown.text


def test_delete_asks_first(gateway: CliGateway, tmp_path: Path) -> None:
    made = started(gateway, "a fox")
    for answer, status in (("n\n", 1), ("y\n", 0)):
        with terminal("operations", "delete", made, folder=tmp_path, IMAGEGATE_URL=gateway.url) as shown:
            shown.expect("for good? [y/N]")
            assert gateway.made.store.get(made)
            shown.type(answer)
            assert shown.wait() == status, shown.text
    assert not gateway.made.store.get(made)


def test_doctor_shows_each_finding(gateway: CliGateway, tmp_path: Path) -> None:
    with terminal("doctor", "--url", gateway.url, folder=tmp_path) as shown:
        assert shown.wait() == 0, shown.text
        assert f"✓ gateway       {gateway.url} answers, and asks for no key." in shown.text.replace("\n", "")


def test_completion_is_installed_by_one_command(tmp_path: Path) -> None:
    imagegate = Path(sys.executable).with_name("imagegate")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": "/bin/bash"}
    script = f"{imagegate} --install-completion; echo ended $?"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "ended 0" in done.stdout, done
    [written] = tmp_path.rglob("imagegate.sh")
    assert "_IMAGEGATE_COMPLETE" in written.read_text()
    assert str(written) in (tmp_path / ".bashrc").read_text()
