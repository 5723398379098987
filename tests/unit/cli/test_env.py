"""`imagegate env`, and the origins that `imagegate serve` takes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.cli.serve import _origin
from imagegate.local.stack.stack import Stack
from imagegate.local.state_folder import StateFolder

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "a folder's")
    folder.create()
    folder.remember_ports({"ministack": 4000})
    folder.root_credentials()
    return folder


def test_a_shell_takes_what_it_prints(folder: StateFolder) -> None:
    printed = runner.invoke(app, ["env", "--local", "--state-dir", str(folder.root)])
    assert printed.exit_code == 0
    script = f"{printed.stdout}\nenv -0"
    inherited = {"AWS_SESSION_TOKEN": "old", "AWS_PROFILE": "old", "PATH": "/usr/bin:/bin"}
    shell = subprocess.run(["sh", "-euc", script], env=inherited, capture_output=True, check=True, text=True)
    variables = dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
    key = folder.root_credentials()
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4000"
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]) == (
        key.access_key_id,
        key.secret_access_key,
    )
    assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE"} & set(variables)


def test_a_program_takes_json(folder: StateFolder) -> None:
    printed = runner.invoke(app, ["env", "--local", "--json", "--state-dir", str(folder.root)])
    assert json.loads(printed.stdout)["AWS_ACCESS_KEY_ID"] == folder.root_credentials().access_key_id


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    never = runner.invoke(app, ["env", "--local", "--state-dir", str(tmp_path / "never")])
    assert (never.exit_code, "Nothing was ever served" in never.output) == (1, True)
    assert not (tmp_path / "never").exists()


def test_clients_get_the_gateway_and_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGATE_API_KEY", "ig_a'b")
    printed = runner.invoke(app, ["env", "--url", "https://gate.example.com/v1/"])
    assert printed.exit_code == 0
    shell = subprocess.run(["sh", "-euc", f"{printed.stdout}\nenv -0"], capture_output=True, check=True, text=True)
    variables = dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
    assert variables["OPENAI_BASE_URL"] == "https://gate.example.com/v1"
    assert variables["IMAGEGATE_URL"] == "https://gate.example.com"
    assert variables["OPENAI_API_KEY"] == variables["IMAGEGATE_API_KEY"] == "ig_a'b"


@pytest.mark.parametrize("text", ["http://localhost:3000", "https://App.Example.com", "http://[::1]:8080"])
def test_an_origin_is_taken(text: str) -> None:
    assert _origin(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    ["*", "null", "localhost:3000", "http://localhost:3000/", "https://a.example,https://b.example", "", "ftp://a"],
)
def test_what_is_no_origin_is_refused(text: str, tmp_path: Path) -> None:
    sent = runner.invoke(app, ["serve", "--state-dir", str(tmp_path / "s"), "--cors-origin", text])
    assert (sent.exit_code, "not an origin" in sent.output) == (2, True)
    assert not (tmp_path / "s").exists()


def test_origins_reach_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def run(stack: Stack, *_: Any) -> int:
        seen.append(stack.settings.parameters["CorsOrigins"])
        return 0

    monkeypatch.setattr(sys.modules["imagegate.cli.serve"], "_run", run)
    for origins in ([], ["--cors-origin", "http://localhost:3000", "--cors-origin", "https://b.example"]):
        assert runner.invoke(app, ["serve", "--state-dir", str(tmp_path / "s"), *origins]).exit_code == 0
    assert seen == ["", "http://localhost:3000,https://b.example"]
