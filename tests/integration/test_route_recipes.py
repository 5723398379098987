"""The recipes of docs/routes.md, word for word but for addresses: on `imagegate serve`, and on a deployment."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.stack.stack import Stack
from support.gradio import real_server, stand_in
from support.own_server import OwnServer, own_server
from support.serving_command import IMAGEGATE, base_url_of, lines_of

PAGE = (Path(__file__).parents[2] / "docs" / "routes.md").read_text()
RECIPES = re.findall(r"```sh\n(.*?)```", PAGE.partition("## Your own servers")[2], re.DOTALL)
COMMANDS = [shlex.split(line)[1:] for recipe in RECIPES for line in recipe.splitlines()]
MODELS = ["localai", "vllm", "keyed", "my-space"]
SECONDS = 120
"""Far beyond what anything here takes."""


@dataclass(frozen=True)
class Servers:
    """What the recipes are for."""

    localai: OwnServer
    vllm: OwnServer
    keyed: OwnServer
    space: str

    def address(self, model: str) -> str:
        """The base URL that stands in the place of the recipe's."""
        return self.space if model == "my-space" else str(getattr(self, model).base_url)


GRADIO = [
    pytest.param("stand-in"),
    pytest.param("real", marks=[pytest.mark.real_gradio, pytest.mark.xdist_group("real-6")]),
]


@pytest.fixture(params=GRADIO)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    """Running servers; the Space is Gradio 6."""
    (tmp_path / "gradio").mkdir()
    with ExitStack() as running:
        space = stand_in(6) if request.param == "stand-in" else real_server(6, tmp_path / "gradio")
        yield Servers(
            running.enter_context(own_server(urls=True)),
            running.enter_context(own_server()),
            running.enter_context(own_server(key="k")),
            running.enter_context(space),
        )


def follow(words: list[str], servers: Servers, *where: str) -> None:
    """Run a command of a recipe: against the servers of the test, and with `where` in place of `--local`."""
    if "--base-url" in words:
        at = words.index("--base-url") + 1
        words = [*words[:at], servers.address(words[2]), *words[at + 1 :]]
    words = [part for word in words for part in (where if word == "--local" else (word,))]
    done = CliRunner().invoke(app, words, input="k")
    assert done.exit_code == 0, (words, done.output)


def generate(base_url: str, model: str, key: str = "", **fields: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    body = {"model": model, "prompt": "a red fox in the snow", **fields}
    return dict(requests.post(f"{base_url}/v1/images/generations", json=body, headers=headers, timeout=SECONDS).json())


def try_models(base_url: str, servers: Servers, key: str = "") -> None:
    """Each makes a picture that can be fetched, and was asked for its own model."""
    fields = {"vllm": {"seed": 7, "num_inference_steps": 9, "negative_prompt": "dogs"}, "my-space": {"seed": 7}}
    for model in MODELS:
        made = generate(base_url, model, key, **fields.get(model, {}))
        assert made.get("provider") == model, made
        assert requests.get(made["data"][0]["url"], timeout=SECONDS).status_code == 200
    assert servers.localai.bodies[-1]["model"] == "stablediffusion"
    assert servers.localai.pictures == len(servers.localai.bodies)
    asked = servers.vllm.bodies[-1]
    assert (asked["model"], asked["seed"], asked["num_inference_steps"]) == ("Qwen/Qwen-Image", 7, 9)
    assert asked["negative_prompt"] == "dogs"


def test_there_is_a_recipe_for_each() -> None:
    added = [words[2] for words in COMMANDS if words[:2] == ["providers", "add"]]
    assert added == MODELS
    assert ["routes", "push", "--local"] in COMMANDS


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(400)
def test_recipes_on_serve(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in COMMANDS:
        if words[:2] == ["providers", "add"]:
            follow(words, servers)
    serve = [*IMAGEGATE, "serve", "--port", "0", "--long-hold-port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=environment) as serving:
        try:
            base_url = base_url_of(lines_of(serving))
            for words in COMMANDS:
                if words[0] == "secrets":
                    follow(words, servers, "--local")
            assert generate(base_url, "vllm", size="64x64").get("provider") == "vllm"
            try_models(base_url, servers)
        finally:
            serving.terminate()


def test_recipes_on_a_deployment(
    closed: Stack,
    cli: Callable[..., dict[str, Any]],
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    key = str(cli("create", "--name", "recipes", "--json")["key"])
    where = ("--local", "--state-dir", str(closed.folder.root))
    try:
        for words in COMMANDS:
            if words != ["serve"]:
                follow(words, servers, *where)
        until(lambda: generate(closed.base_url, "keyed", key).get("provider"))
        try_models(closed.base_url, servers, key)
    finally:
        CliRunner().invoke(app, ["routes", "rollback", "builtin", *where])
