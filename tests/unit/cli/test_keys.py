"""`imagegate keys` and `imagegate secrets` as a person and a script use them."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result
from typer.testing import CliRunner

from imagegate.adapters import aws
from imagegate.adapters.clock import SystemClock
from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys
from imagegate.adapters.ssm_webhook_key import SsmWebhookKey
from imagegate.cli.amounts import dollars, duration, micro_dollars
from imagegate.cli.main import app
from imagegate.domain.access.ledger import day_of
from imagegate.domain.errors import Unauthenticated
from imagegate.domain.webhooks.webhook import Webhook, parse_secret, secret_text
from imagegate.usecases.authenticate import Authenticate
from imagegate.usecases.deliver import Signing
from support.deployed import Formation, operations_table

runner = CliRunner()
WEBHOOK_KEY = "/imagegate/dev/webhooks"


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, mocked_aws: None) -> str:
    name = operations_table()
    formation = Formation({"imagegate-dev": {"TableName": name, "ApiUrl": "https://api.example.com"}})

    def client(service: str) -> Any:
        return formation if service == "cloudformation" else boto3.client(service)  # type: ignore[call-overload]

    monkeypatch.setattr(aws, "client", client)
    return name


def run(*arguments: str, text: str | None = None) -> Result:
    return runner.invoke(app, arguments, input=text)


def done(*arguments: str, text: str | None = None) -> str:
    """What the command printed; it succeeded."""
    result = run(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result.stdout


def failed(*arguments: str, text: str | None = None) -> str:
    """The one sentence with which the command failed."""
    result = run(*arguments, text=text)
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert line.startswith("imagegate: ")
    return line


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[2J", "\x9b2J", "\u202eyek", "x" * 65])
def test_a_name_is_one_line_of_what_can_be_shown(name: str) -> None:
    assert "A name has 1 to 64 characters" in failed("keys", "create", "--name", name)


def test_a_name_may_be_in_any_script() -> None:
    for name in ("ключ", "می‌خواهم", "👩\u200d👧"):
        assert json.loads(done("keys", "create", "--name", name, "--json"))["name"] == name


def is_let_in(table: str, text: str) -> bool:
    keys = DynamoDBApiKeys(boto3.client("dynamodb"), table)
    try:
        return bool(Authenticate(keys=keys, clock=SystemClock(), trust_seconds=0)(text))
    except Unauthenticated:
        return False


def test_a_key_is_made_shown_once_revoked(table: str) -> None:
    made = run("keys", "create", "--name", "ci")
    text = made.stdout.strip()
    assert is_let_in(table, text)
    assert "not shown again" in made.stderr
    assert text not in made.stderr
    [document] = json.loads(done("keys", "list", "--json"))
    assert (document["name"], document["state"], document["id"]) == ("ci", "active", text.split("_")[1])
    assert text.split("_")[2] not in done("keys", "list", "--json") + done("keys", "list")
    assert done("keys", "revoke", document["id"]) == ""
    assert not is_let_in(table, text)
    assert done("keys", "revoke", document["id"]) == "", "twice does no harm"
    assert json.loads(done("keys", "list", "--json"))[0]["state"] == "revoked"


def test_everything_about_a_key_is_kept(table: str) -> None:
    options = ["--expires", "90d", "--models", "flux, flux", "--rpm", "60", "--concurrent", "4"]
    limits = ["--pictures-per-day", "1000", "--budget-per-day", "2.50"]
    made = json.loads(done("keys", "create", "--name", "full", *options, *limits, "--json"))
    assert is_let_in(table, made.pop("key"))
    assert len(parse_secret(made.pop("webhook_secret"))) == 32
    [listed] = json.loads(done("keys", "list", "--json"))
    assert listed == made
    assert listed["models"] == ["flux"]
    assert listed["limits"] == {
        "requests_per_minute": 60,
        "concurrent": 4,
        "pictures_per_day": 1000,
        "micro_dollars_per_day": 2_500_000,
    }
    assert listed["expires_at"] > listed["created_at"]


def test_lists_are_aligned_for_people() -> None:
    assert "no API key yet: imagegate keys create --name" in run("keys", "list").stderr
    done("keys", "create", "--name", "a")
    done("keys", "create", "--name", "a longer name", "--rpm", "5", "--budget-per-day", "0.02")
    head, first, second = done("keys", "list").splitlines()
    column = head.index("STATE")
    assert first[column:].startswith("active")
    assert second[column:].startswith("active")
    assert second.endswith("requests_per_minute=5, dollars_per_day=0.02")


def test_rotation_keeps_the_owner_and_the_old_secret_for_a_grace(table: str) -> None:
    old = json.loads(done("keys", "create", "--name", "x", "--json"))
    new = json.loads(done("keys", "rotate", old["id"], "--json"))
    assert (new["id"], new["owner"]) == (old["id"], old["owner"])
    assert is_let_in(table, old["key"])
    assert is_let_in(table, new["key"])
    newest = done("keys", "rotate", old["id"], "--grace", "0").strip()
    assert [is_let_in(table, text) for text in (old["key"], new["key"], newest)] == [False, False, True]


def test_a_key_may_share_anothers_operations(table: str) -> None:
    first = json.loads(done("keys", "create", "--name", "one", "--json"))
    second = json.loads(done("keys", "create", "--name", "two", "--owner", first["id"], "--json"))
    third = json.loads(done("keys", "create", "--name", "three", "--owner", second["id"], "--json"))
    assert second["owner"] == third["owner"] == first["id"]
    everybody = json.loads(done("keys", "create", "--name", "four", "--owner", "everybody", "--json"))
    assert everybody["owner"] == "everybody"


def secrets_of(table: str, key_id: str) -> list[str]:
    """What the webhooks of a key are signed with at this moment, as `deliver` finds it."""
    signing = Signing(DynamoDBApiKeys(boto3.client("dynamodb"), table), SsmWebhookKey(boto3.client("ssm"), WEBHOOK_KEY))
    return [
        secret_text(secret)
        for secret in signing.secrets(Webhook(url="https://8.8.8.8/", events=(), key_id=key_id), "me", time.time())
    ]


def test_the_secret_of_a_keys_webhooks_is_shown_once_and_rotated_with_a_grace(table: str) -> None:
    made = run("keys", "create", "--name", "x", "--json")
    key = json.loads(made.stdout)
    old = key["webhook_secret"]
    assert old in made.stderr
    assert secrets_of(table, key["id"]) == [old]
    assert old not in done("keys", "list", "--json")
    assert old.removeprefix("whsec_") not in str(boto3.client("dynamodb").scan(TableName=table)["Items"])
    new = done("keys", "webhook", key["id"], "--rotate").strip()
    assert secrets_of(table, key["id"]) == [new, old]
    newest = done("keys", "webhook", key["id"], "--rotate", "--grace", "0").strip()
    assert secrets_of(table, key["id"]) == [newest]
    assert is_let_in(table, key["key"]), "the key itself is another matter"


def test_a_key_says_where_its_operations_are_announced() -> None:
    options = ["--webhook-url", "https://8.8.8.8/hook", "--webhook-events", "succeeded, failed"]
    key = json.loads(done("keys", "create", "--name", "x", *options, "--json"))
    assert key["webhook"] == {"url": "https://8.8.8.8/hook", "events": ["succeeded", "failed"]}
    assert done("keys", "webhook", key["id"], "--url", "https://8.8.4.4/").strip() == ""
    assert json.loads(done("keys", "list", "--json"))[0]["webhook"] == {"url": "https://8.8.4.4/", "events": []}
    off = json.loads(done("keys", "webhook", key["id"], "--off", "--rotate", "--json"))
    assert (off["webhook"]["url"], off["webhook_secret"][:6]) == (None, "whsec_")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "https://127.0.0.1/"], "not on the public internet"),
        (["--url", "http://8.8.8.8/"], "https"),
        (["--url", "https://api.example.com/v1/operations/x:retry"], "not sent to imagegate itself"),
        (["--url", "https://8.8.8.8/", "--events", "ended"], "Use some of: queued"),
        (["--events", "failed"], "URL"),
        (["--off", "--url", "https://8.8.8.8/"], "exclude"),
        ([], "nothing to change"),
    ],
)
def test_what_a_keys_webhook_cannot_be(words: list[str], said: str) -> None:
    key_id = json.loads(done("keys", "create", "--name", "x", "--json"))["id"]
    assert said in failed("keys", "webhook", key_id, *words)
    of_a_new_one = [f"--webhook-{word[2:]}" if word.startswith("--") else word for word in words]
    if words and "--off" not in words:
        assert said in failed("keys", "create", "--name", "y", *of_a_new_one)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "webhook", "unknown", "--rotate"], "keys list"),
        (["keys", "list", "--stage", "prod"], "no stack 'imagegate-prod'"),
        (["keys", "revoke", "unknown"], "keys list"),
        (["keys", "rotate", "unknown"], "keys list"),
        (["keys", "create", "--name", "x", "--owner", "unknown"], "keys list"),
        (["keys", "create", "--name", ""], "1 to 64"),
        (["keys", "create", "--name", "a\nb"], "in one line"),
        (["keys", "create", "--name", "x", "--models", "flux,nope"], "no model 'nope'. Use some of: "),
        (["secrets", "set", "a/b"], "A-Z"),
        (["signing", "set", "/nowhere.pem"], "/nowhere.pem cannot be read: No such file"),
        (["signing", "set", sys.executable], "Cannot be used: "),
        (["keys", "list", "--local", "--state-dir", "/nowhere"], "imagegate serve"),
    ],
)
def test_failures_are_a_sentence_and_a_remedy(words: list[str], said: str) -> None:
    assert said in failed(*words)


def test_a_revoked_key_is_not_rotated() -> None:
    key_id = json.loads(done("keys", "create", "--name", "x", "--json"))["id"]
    done("keys", "revoke", key_id)
    assert f"--owner {key_id}" in failed("keys", "rotate", key_id)


def test_a_local_stack_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"ministack": 9}')
    assert "imagegate serve" in failed("keys", "list", "--local", "--state-dir", str(tmp_path))


def test_a_secret_comes_from_standard_input_and_is_never_shown() -> None:
    result = run("secrets", "set", "OPENAI_API_KEY", text="sk-marked\n")
    assert result.exit_code == 0
    assert "sk-marked" not in result.output
    assert result.stdout == ""
    parameter = boto3.client("ssm").get_parameter(Name="/imagegate/dev/upstreams/OPENAI_API_KEY", WithDecryption=True)
    assert (parameter["Parameter"]["Value"], parameter["Parameter"]["Type"]) == ("sk-marked", "SecureString")
    assert done("secrets", "list") == "OPENAI_API_KEY\n"
    assert json.loads(done("secrets", "list", "--json")) == ["OPENAI_API_KEY"]
    assert done("secrets", "list", "--stage", "prod") == ""


def test_at_a_terminal_a_secret_is_asked_for_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(question: str, stream: object) -> str:
        asked.append(question)
        return "typed"

    monkeypatch.setattr("imagegate.cli.sentences.getpass.getpass", ask)
    monkeypatch.setattr("imagegate.cli.secrets._is_terminal", lambda: True)
    done("secrets", "set", "BFL_API_KEY")
    assert asked == ["Value of BFL_API_KEY: "]


def test_an_empty_secret_is_refused() -> None:
    assert "empty" in failed("secrets", "set", "X", text=" \n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "words",
    [
        ["--expires", "90"],
        ["--expires", "-1d"],
        ["--expires", "soon"],
        ["--expires", "0d"],
        ["--budget-per-day", "-1"],
        ["--budget-per-day", "nan"],
        ["--budget-per-day", "much"],
        ["--budget-per-day", "1e999999"],
        ["--budget-per-day", "1000000001"],
        ["--rpm", "0"],
        ["--rpm", "99999999999999999999999"],
    ],
)
def test_bad_amounts_are_refused_before_anything_is_made(words: list[str]) -> None:
    assert run("keys", "create", "--name", "x", *words).exit_code == 2
    assert json.loads(done("keys", "list", "--json")) == []


def test_sums_are_exact() -> None:
    assert [micro_dollars(text) for text in ("2.50", "$0.1", "0", "0.000001")] == [2_500_000, 100_000, 0, 1]
    assert [dollars(amount) for amount in (2_500_000, 100_000_000, 0, 1)] == ["2.5", "100", "0", "0.000001"]


def test_what_a_key_has_used_is_shown(table: str) -> None:
    made = json.loads(done("keys", "create", "--name", "billing", "--pictures-per-day", "3", "--json"))
    assert [line.split() for line in done("keys", "usage", made["id"]).splitlines()[1:]] == [
        [day_of(time.time()), "0", "0.000000"]
    ]
    document = json.loads(done("keys", "usage", made["id"], "--days", "7", "--json"))
    assert (len(document["days"]), document["left"]["pictures"], document["limits"]["pictures_per_day"]) == (7, 3, 3)
    free = json.loads(done("keys", "create", "--name", "free", "--json"))
    assert "is not counted" in run("keys", "usage", free["id"]).stderr
    rich = json.loads(done("keys", "create", "--name", "rich", "--budget-per-day", "2.50", "--json"))
    assert "Left: dollars=2.5;" in run("keys", "usage", rich["id"]).stderr
    assert "no key with that id" in failed("keys", "usage", "0" * 12)
