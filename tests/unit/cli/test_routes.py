"""`imagegate providers add` and `imagegate routes` as a person uses them."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result
from typer.testing import CliRunner

from imagegate.adapters import aws
from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
from imagegate.cli.main import app
from imagegate.cli.routes.watch import RoutesWatch
from imagegate.providers.routes_file import parse_routes
from support.deployed import Formation, operations_table
from support.own_server import own_server

ADD = ["providers", "add", "my-local", "--protocol", "openai_images", "--base-url"]
TAKES = ["--takes", "seed", "--takes", "steps"]
MINE = '[models.mine]\nroute = ["together/FLUX"]\n'


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, mocked_aws: None, tmp_path: Path) -> str:
    name = operations_table()
    formation = Formation({"imagegate-dev": {"TableName": name, "ApiUrl": "https://api.example.com"}})

    def client(service: str) -> Any:
        return formation if service == "cloudformation" else boto3.client(service)  # type: ignore[call-overload]

    monkeypatch.setattr(aws, "client", client)
    monkeypatch.chdir(tmp_path)
    return name


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return result


@pytest.mark.parametrize(
    ("base_url", "private"),
    [
        ("http://127.0.0.1:9999/v1", True),
        ("http://localai:8080/v1", True),
        ("https://10.0.0.7/v1", True),
        ("https://images.example.com/v1", False),
    ],
)
def test_a_provider_is_added_to_a_new_file(base_url: str, private: bool) -> None:
    run(*ADD, base_url)
    text = Path("imagegate.toml").read_text()
    table = parse_routes(text)
    assert table.entry("my-local").base_url == base_url
    assert table.entry("my-local").reach.private_network is private
    assert text.startswith("#:schema ./imagegate.schema.json\n")
    assert Path("imagegate.schema.json").exists()


def test_a_provider_is_added_behind_what_is_there() -> None:
    Path("imagegate.toml").write_text(f"# mine\n{MINE}")
    result = run(*ADD, "https://images.example.com/v1", *TAKES, "--key-name", "MY_KEY", "--model", "sdxl")
    assert "secrets set MY_KEY" in result.stderr
    text = Path("imagegate.toml").read_text()
    assert text.startswith(f"# mine\n{MINE}")
    assert 'takes = ["seed", "steps"]' in text
    table = parse_routes(text)
    assert table.entry("my-local").config.keys == {"MY_KEY": "Bearer"}  # type: ignore[union-attr]
    assert [route.model for route in table.routes][:2] == ["mine", "my-local"]
    assert "already" in run(*ADD, "https://images.example.com/v1", status=1).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*ADD, "ftp://x"], "https://host/path"),
        ([*ADD[:2], "My Local", *ADD[3:], "https://x.example"], "a-z"),
        ([*ADD, "https://x.example", "--takes", "sed"], "'seed' or 'steps'"),
        ([*ADD[:4], "openai", *ADD[5:], "https://x.example"], "Do you mean"),
    ],
)
def test_a_provider_that_is_wrong_is_not_written(words: list[str], said: str) -> None:
    assert said in run(*words, status=1).stderr
    assert not Path("imagegate.toml").exists()


def test_pushed_pulled_compared_and_rolled_back() -> None:
    assert "built-in" in run("routes", "pull").stderr
    assert "built-in" in run("routes", "history").stderr
    file = Path("imagegate.toml")
    file.write_text(MINE)
    assert "+[models.mine]" in run("routes", "diff", status=1).stdout
    assert "Pushed as" in run("routes", "push", "--note", "first").stderr
    assert "already" in run("routes", "push").stderr
    assert run("routes", "diff").stdout == ""
    file.write_text(MINE.replace("FLUX", "other"))
    run("routes", "push")
    assert run("routes", "pull").stdout == file.read_text()
    run("routes", "rollback")
    assert run("routes", "pull").stdout == MINE
    [_, newest, *_, oldest] = run("routes", "history").stdout.splitlines()
    assert "rollback to" in newest
    assert "first" in oldest
    run("routes", "rollback", oldest.split()[0], status=0)
    run("routes", "rollback", "builtin")
    assert run("routes", "pull").stdout == "\n"
    assert "no version" in run("routes", "rollback", "v0", status=1).stderr


def test_a_wrong_file_is_not_pushed() -> None:
    Path("imagegate.toml").write_text(MINE.replace("together", "togethre"))
    for command in ("push", "check"):
        said = run("routes", command, status=1).stderr
        assert "imagegate.toml:2: models.mine.route" in said
        assert "Do you mean together?" in said
    assert "built-in" in run("routes", "history").stderr
    assert "cannot be read" in run("routes", "push", "absent.toml", status=1).stderr


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (bytes(range(256)), "mine.toml:2: not valid TOML: it is no UTF-8 text. Save it as UTF-8."),
        (MINE.encode("utf-16"), "mine.toml:1: not valid TOML: it is no UTF-8 text."),
        (b"#" * 5_000_000, "mine.toml has more than 131072 bytes."),
        (b"\x00", "mine.toml:1: not valid TOML: Invalid statement (column 1)."),
        (MINE.replace("\n", "\r").encode(), "mine.toml:1: not valid TOML:"),
    ],
)
def test_a_file_that_is_no_routes_file(body: bytes, said: str) -> None:
    Path("mine.toml").write_bytes(body)
    assert said in run("routes", "check", "mine.toml", status=1).stderr


def test_what_editors_of_windows_write_is_read() -> None:
    Path("mine.toml").write_bytes(b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    assert "is right" in run("routes", "check", "mine.toml").stderr


def test_what_is_no_file() -> None:
    Path("folder").mkdir()
    assert "is a directory" in run("routes", "check", "folder", status=2).stderr
    assert "No such file" in run("routes", "check", "absent.toml", status=1).stderr
    assert "more than" in run("routes", "check", "/dev/zero", status=1).stderr
    elsewhere = run(*ADD, "https://x.example", "--routes", "absent/mine.toml", status=1)
    assert "cannot be written: No such file or directory." in elsewhere.stderr


def test_a_watched_file_that_is_wrong_leaves_the_last_good_one(table: str, tmp_path: Path) -> None:
    said: list[str] = []
    store = DynamoDBRoutes(boto3.client("dynamodb"), table)
    file = tmp_path / "mine.toml"
    file.write_text(MINE)
    watch = RoutesWatch(file, store, said.append)
    watch.start()
    try:
        current = store.current()
        assert current
        assert current.text == MINE
        for text, heard in (("[models", "stay in force"), (MINE + "\n", "was read again")):
            file.write_text(text)
            while not any(heard in line for line in said):
                watch._stopping.wait(0.02)
    finally:
        watch.stop()
    current = store.current()
    assert current
    assert current.text == MINE + "\n"


def test_models_and_providers_say_which_key_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Path("imagegate.toml").write_text(MINE + 'aliases = ["sdxl"]\nprices_usd = { together = 0.01 }\n')
    [header, mine, *_] = run("models").stdout.splitlines()
    assert header.split() == ["MODEL", "AVAILABLE", "PROVIDERS", "CAN", "ALIASES"]
    assert mine.split()[:4] == ["mine", "needs", "TOGETHER_API_KEY", "together"]
    assert "$0.01 (no key)" in mine
    assert "seed" in mine
    monkeypatch.setenv("TOGETHER_API_KEY", "k")
    assert run("models").stdout.splitlines()[1].split()[:3] == ["mine", "yes", "together"]
    [openai] = [line for line in run("providers").stdout.splitlines() if line.startswith("openai ")]
    assert "needs OPENAI_API_KEY" in openai


def test_of_a_deployment_the_pushed_routes_and_the_credentials_that_are_set_count() -> None:
    Path("imagegate.toml").write_text(MINE)
    run("routes", "push")
    Path("imagegate.toml").unlink()
    assert "needs TOGETHER_API_KEY" in run("models", "--stage", "dev").stdout.splitlines()[1]
    boto3.client("ssm").put_parameter(Name="/imagegate/dev/upstreams/TOGETHER_API_KEY", Value="k", Type="SecureString")
    [model, *_] = json.loads(run("models", "--json", "--stage", "dev").stdout)
    assert (model["model"], model["available"]) == ("mine", True)
    assert model["providers"][0]["missing_secrets"] == []
    assert model["capabilities"]["seed"] is True


def test_a_check_reaches_a_server_and_tells_its_time() -> None:
    with own_server(key="k") as server:
        run(*ADD, server.base_url)
        [_, checked] = run("providers", "check", "my-local").stdout.splitlines()
        assert checked.split()[:2] == ["my-local", "yes"]
    [_, checked] = run("providers", "check", "my-local", status=1).stdout.splitlines()
    assert "no connection" in checked
