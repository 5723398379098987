"""A whole run with marked secrets, which must then be found nowhere."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.everywhere import Listener, everywhere, logs
from support.fakes import picture
from support.receiver import Receiver, receiving
from support.stack_settings import WITH_WEBHOOKS, on_free_ports

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("secrets")]
MARKED = {name: f"marked-{name.lower().replace('_', '-')}-0123456789" for name in (*STAND_IN_SECRETS, "HF_TOKEN")}
WEBHOOK = base64.b64encode(b"marked-webhook-secret-0123456789").decode()
PROMPT = "xyzzy marked prompt"
MODELS = ["flux", "alice-art", "gpt-image-2", "yandex-art-legacy"]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that requires keys, with marked credentials for every upstream."""
    settings = replace(
        on_free_ports(tmp_path_factory.mktemp("secrets")),
        # Bounded, to deploy that branch of the template too.
        parameters={"Stage": "local", "HoldSeconds": "2", "ApiConcurrency": "20", **WITH_WEBHOOKS},
        stand_ins=StandIns(build_app(latency_seconds=0.2), MARKED),
    )
    with Stack(settings) as running:
        yield running


def key_of(stack: Stack) -> str:
    text = ["keys", "create", "--name", "marked", "--local", "--state-dir", str(stack.folder.root)]
    made = CliRunner().invoke(app, text)
    assert made.exit_code == 0, made.output
    return next(word for word in made.output.split() if word.startswith("ig_"))


def asked(stack: Stack, key: str, path: str, body: Any, **headers: str) -> requests.Response:
    url = f"{stack.base_url}{path}"
    return requests.post(url, json=body, headers={"x-api-key": key, **headers}, timeout=60)


def run(stack: Stack, key: str, receiver: Receiver) -> list[requests.Response]:
    """Every dialect and every upstream, well and ill, and a webhook."""
    webhook = {"url": receiver.url, "secret": receiver.secret}
    edit = {"image_url": f"data:image/png;base64,{base64.b64encode(picture()).decode()}"}
    answers = [
        asked(stack, key, "/v1/operations", {"model": model, "prompt": f"{PROMPT} {fault}"})
        for model, fault in [*((model, "") for model in MODELS), ("gpt-image-2", "[fault http-500]")]
    ]
    answers += [
        asked(stack, key, "/v1/operations", {"model": "flux", "prompt": PROMPT, "webhook": webhook}),
        asked(stack, key, "/v1/images/edits", {"model": "gpt-image-2", "prompt": PROMPT, "images": [edit]}),
        asked(stack, key, "/v1/images/generations", {"prompt": PROMPT, "response_format": "b64_json"}),
        asked(stack, key, "/v1/images/generations", {"prompt": PROMPT, "model": "unknown"}),
        asked(stack, key + "0", "/v1/operations", {"model": "flux", "prompt": PROMPT}),
        asked(stack, key, "/foundationModels/v1/imageGenerationAsync",
              {"modelUri": "art://f/yandex-art/latest", "messages": [{"text": PROMPT}]}),
    ]  # fmt: skip
    return answers


def listed(stack: Stack, key: str) -> list[dict[str, Any]]:
    url = f"{stack.base_url}/v1/operations?page_size=100"
    found: list[dict[str, Any]] = requests.get(url, headers={"x-api-key": key}, timeout=60).json()["operations"]
    return found


def test_marked_secrets_are_nowhere(closed: Stack, until: Callable[..., Any]) -> None:
    listener, key = Listener(closed), key_of(closed)
    with receiving(Receiver(f"whsec_{WEBHOOK}")) as receiver:
        answers = run(closed, key, receiver)
        until(lambda: all(entry["done"] for entry in listed(closed, key)), 60)
        until(lambda: len(receiver.received) == 3)
    ended = listed(closed, key)
    used = {entry["provider"] for operation in ended for entry in operation["attempts"]}
    states = Counter(operation["state"] for operation in ended)
    assert {"openai", "yandex-ai-studio", "yandexart", "black-forest-labs"} <= used, "their credentials were used"
    assert states["succeeded"] > 5
    assert states["failed"] > 0
    until(lambda: sum("Succeeded" in heard for heard in listener.listen()) >= states["succeeded"])

    secrets = {
        **MARKED,
        "the API key": key.rpartition("_")[2],
        "the webhook's": WEBHOOK,
        "its bytes": "marked-webhook-secret",
    }
    places = [*everywhere(closed), *(("event", heard) for heard in listener.heard)]
    places += [("answer", answer.text + str(answer.headers)) for answer in answers]
    seen = {place for place, _ in places}
    assert seen >= {"function", "execution", "history", "table", "object", "log", "stack", "event", "answer"}
    assert [(place, name) for place, text in places for name, secret in secrets.items() if secret in text] == []
    assert [line for _, line in logs(closed) if PROMPT in line] == [], "nor is a prompt in a log"
