"""The environment is read whole and checked before anything else happens."""

import re
from collections.abc import Mapping

import pytest

from imagegate import settings
from imagegate.deployment import Deployment
from imagegate.domain.errors import MisconfiguredError
from imagegate.local.stack.packaging import load_yaml
from support.stack_settings import TEMPLATE

VARIABLES = load_yaml(TEMPLATE)["Globals"]["Function"]["Environment"]["Variables"]
NUMBER = re.compile(r"(DAYS|SECONDS|SCALE)$")


def environment(**changes: str) -> dict[str, str]:
    """What template.yaml sets, with its own names, and values of our own."""
    made = {name: "7" if NUMBER.search(name) else "x" for name in VARIABLES}
    made |= {"AWS_REGION": "eu-north-1", "ACCESS": "open", "EXPANDER": "none", "STAND_IN_URL": ""}
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


def upstream_urls(**changes: str) -> Mapping[str, str]:
    return Deployment(settings.read(environment(**changes)), lambda *_: None).upstream_urls


def test_where_upstreams_are() -> None:
    assert upstream_urls() == {}
    assert upstream_urls(BEDROCK_REGION="us-west-2") == {"bedrock": "https://bedrock-runtime.us-west-2.amazonaws.com"}
    played = upstream_urls(BEDROCK_REGION="us-west-2", STAND_IN_URL="http://127.0.0.1:9/")
    assert played["bedrock"] == "http://127.0.0.1:9/bedrock"


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
