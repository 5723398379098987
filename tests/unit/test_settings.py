"""The environment is read whole and checked before anything else happens."""

import re
from typing import Any

import pytest

from imagegate import settings
from imagegate.domain.errors import MisconfiguredError
from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

VARIABLES = load_yaml(TEMPLATE)["Globals"]["Function"]["Environment"]["Variables"]
NUMBER = re.compile(r"(DAYS|SECONDS|SCALE)$")


def environment(**changes: str) -> dict[str, str]:
    """What template.yaml sets, with its own names, and values of our own."""
    made = {name: "7" if NUMBER.search(name) else "x" for name in VARIABLES}
    made |= {"AWS_REGION": "eu-north-1", "ACCESS": "open", "EXPANDER": "none", "UPSTREAM_BASE_URLS": "{}"}
    made |= {"WEBHOOK_LOOPBACK": "false"}
    return made | changes


def test_no_expander_is_set_up_unless_one_is_named() -> None:
    read = settings.read(environment(EXPANDER_MODEL="m1"))
    assert (read.expander, read.expander_model) == ("none", "")


def test_an_expander_is_set_up() -> None:
    named = {"EXPANDER": "yandexgpt", "EXPANDER_URL": "", "EXPANDER_MODEL": "m1", "EXPANDER_SECRET_NAME": "KEY"}
    read = settings.read(environment(**named))
    assert (read.expander, read.expander_url) == ("yandexgpt", "")
    assert (read.expander_model, read.expander_secret) == ("m1", "KEY")


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"EXPANDER": "openai", "EXPANDER_MODEL": ""}, "EXPANDER_MODEL"), ({"EXPANDER": "telepathy"}, "none, openai, ")],
)
def test_half_an_expander_is_refused(changes: dict[str, str], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        settings.read(environment(**changes))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", {}),
        ('{"openai": "http://127.0.0.1:1/v1"}', {"openai": "http://127.0.0.1:1/v1"}),
        ("{a:http://x}", None),  # what a shell leaves of {"a":"http://x"}
        ('["http://x"]', None),
        ("null", None),
        ('{"openai": 7, "together": "x", "yandexart": "https://a b", "mine": "https://x"}', ["mine"]),
    ],
)
def test_wrong_base_urls_stop_their_upstreams_not_the_function(value: str, expected: Any) -> None:
    read = settings.read(environment(UPSTREAM_BASE_URLS=value)).upstream_base_urls
    if isinstance(expected, list):
        assert read is not None
        assert [name for name, url in read.items() if url] == expected
        assert len(read) == 4
    else:
        assert read == expected


def test_wrong_base_urls_are_logged_without_their_words(caplog: pytest.LogCaptureFixture) -> None:
    settings.read(environment(UPSTREAM_BASE_URLS='{"openai": "user:secret@host"}'))
    settings.read(environment(UPSTREAM_BASE_URLS="{openai:http://user:secret@host}"))
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "'openai'" in caplog.text
    assert "secret" not in caplog.text


def test_bedrock_is_where_its_region_is() -> None:
    url = "https://bedrock-runtime.us-west-2.amazonaws.com"
    assert settings.read(environment(BEDROCK_REGION="us-west-2")).upstream_base_urls == {"bedrock": url}
    assert settings.read(environment(BEDROCK_REGION="")).upstream_base_urls == {}
    own = settings.read(environment(BEDROCK_REGION="us-west-2", UPSTREAM_BASE_URLS='{"bedrock": "http://127.0.0.1:1"}'))
    assert own.upstream_base_urls == {"bedrock": "http://127.0.0.1:1"}
    assert settings.read(environment(BEDROCK_REGION="us-west-2", UPSTREAM_BASE_URLS="no")).upstream_base_urls is None


@pytest.mark.parametrize(
    ("hooks", "public_url", "expected"),
    [
        ("auto", "https://images.example.com", "https://images.example.com"),
        ("auto", "https://api.invalid", ""),
        ("auto", "http://127.0.0.1:1337", ""),
        ("on", "http://127.0.0.1:1337", "http://127.0.0.1:1337"),
        ("on", "https://api.invalid", "https://api.invalid"),
        ("off", "https://images.example.com", ""),
    ],
)
def test_upstreams_call_where_they_are_known_to_reach_the_gateway(hooks: str, public_url: str, expected: str) -> None:
    changes = {"UPSTREAM_HOOKS": hooks, "PUBLIC_URL": public_url, "API_URL": "https://api.invalid"}
    assert settings.read(environment(**changes)).hooks_url == expected
