"""The routes are the user's: a server of one's own makes pictures in two commands, here and on a deployment."""

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import BASE_PATHS, build_app
from imagegate.local.upstreams.serving import serving
from support.own_server import own_server
from support.serving_command import IMAGEGATE, base_url_of, lines_of

Until = Callable[..., Any]
LIMIT = 120
"""Seconds, far beyond what a start takes."""


@pytest.fixture
def key(cli: Callable[..., dict[str, Any]]) -> str:
    """An API key of the deployment."""
    return str(cli("create", "--name", "routes", "--json")["key"])


@pytest.fixture
def routes(closed: Stack) -> Iterator[Callable[..., Result]]:
    """`imagegate routes … --local` on the deployment; afterwards the built-in routes are in force again."""

    def run(*text: str) -> Result:
        where = ["--local", "--state-dir", str(closed.folder.root)]
        return CliRunner().invoke(app, ["routes", *text, *where])

    yield run
    run("rollback", "builtin")


def generate(base_url: str, model: str, key: str = "", prompt: str = "a fox") -> Any:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    body = {"model": model, "prompt": prompt}
    return requests.post(f"{base_url}/v1/images/generations", json=body, headers=headers, timeout=LIMIT).json()


def add(folder: Path, base_url: str, *more: str) -> Path:
    file = folder / "imagegate.toml"
    words = ["providers", "add", "my-local", "--protocol", "openai_images", "--base-url", base_url, *more]
    done = CliRunner().invoke(app, [*words, "--routes", str(file)])
    assert done.exit_code == 0, done.output
    return file


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(400)
@pytest.mark.parametrize("urls", [False, True], ids=["base64, as vLLM", "addresses, as LocalAI"])
def test_a_newcomers_own_server_in_two_commands(tmp_path: Path, urls: bool) -> None:
    """`providers add`, then `serve`: no file of the package is touched, and a change of the file is seen at once."""
    with own_server(urls) as server:
        add = ["providers", "add", "my-local", "--protocol", "openai_images", "--base-url", server.base_url]
        subprocess.run([*IMAGEGATE, *add], cwd=tmp_path, check=True, capture_output=True)
        serve = [*IMAGEGATE, "serve", "--port", "0", "--long-hold-port", "0"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(serve, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as serving:
            try:
                lines = lines_of(serving)
                base_url = base_url_of(lines)
                made = generate(base_url, "my-local")
                assert made["provider"] == "my-local", made
                assert requests.get(made["data"][0]["url"], timeout=LIMIT).status_code == 200
                assert server.bodies[-1]["model"] == "my-local"
                file = tmp_path / "imagegate.toml"
                text = file.read_text()
                file.write_text(text.replace("my-local/my-local", "mylocal/sdxl"))
                next(line for line in lines if "imagegate.toml:" in line and "Do you mean my-local?" in line)
                assert generate(base_url, "my-local", prompt="another")["provider"] == "my-local"
                assert server.bodies[-1]["model"] == "my-local"
                file.write_text(text.replace("my-local/my-local", "my-local/sdxl"))
                next(line for line in lines if "was read again" in line)
                generate(base_url, "my-local", prompt="seen within a second")
                until_model(base_url, server, "sdxl")
            finally:
                serving.terminate()
        assert server.pictures == (len(server.bodies) if urls else 0)


def until_model(base_url: str, server: Any, model: str) -> None:
    """Ask until the routes that were just pushed are in force."""
    for number in range(20):
        if server.bodies[-1]["model"] == model:
            return
        generate(base_url, "my-local", prompt=f"again {number}")
    raise AssertionError(f"{model} is not in force: {server.bodies[-1]}")


def test_a_newcomers_own_server_on_a_deployment(
    closed: Stack, key: str, routes: Callable[..., Result], tmp_path: Path, until: Until
) -> None:
    with own_server(key="k") as server:
        file = add(tmp_path, server.base_url, "--key-name", "MY_KEY", "--model", "sdxl")
        where = ["--local", "--state-dir", str(closed.folder.root)]
        assert CliRunner().invoke(app, ["secrets", "set", "MY_KEY", *where], input="k").exit_code == 0
        assert "my-local" in routes("diff", str(file)).stdout
        pushed = routes("push", str(file), "--note", "mine")
        assert "Pushed as" in pushed.stderr
        assert routes("diff", str(file)).exit_code == 0
        made = until(lambda: (found := generate(closed.base_url, "my-local", key)).get("provider") and found)
        assert made["provider"] == "my-local"
        assert server.bodies[-1]["model"] == "sdxl"
        for server.odd in ("task", "events"):
            odd = generate(closed.base_url, "my-local", key, f"by a server that answers with {server.odd}")
            assert odd.get("provider") == "my-local", odd
        assert server.polls == 2
        assert routes("pull").stdout == file.read_text()
        assert "mine" in routes("history").stdout
        file.write_text(file.read_text().replace("route =", "rout ="))
        refused = routes("push", str(file))
        assert refused.exit_code == 1
        assert f"{file}:" in refused.stderr
        assert generate(closed.base_url, "my-local", key, "still")["provider"] == "my-local"


def test_a_space_of_ones_own_on_a_deployment(
    closed: Stack, key: str, routes: Callable[..., Result], tmp_path: Path, until: Until
) -> None:
    """A copy of the FLUX Space, at an address of its own, with events and pictures from there."""
    path = BASE_PATHS["voodoohop"]
    with serving(build_app(latency_seconds=0.1)) as url:
        file = tmp_path / "imagegate.toml"
        words = ["providers", "add", "my-space", "--protocol", "gradio_space", "--base-url", f"{url}{path}"]
        assert CliRunner().invoke(app, [*words, "--routes", str(file)]).exit_code == 0
        assert routes("push", str(file)).exit_code == 0
        made = until(lambda: (found := generate(closed.base_url, "my-space", key)).get("provider") and found)
        assert made["provider"] == "my-space"
        assert requests.get(made["data"][0]["url"], timeout=LIMIT).status_code == 200
        file.write_text(file.read_text().replace("private_network = true", "# "))
        assert "private_network = true" in routes("push", str(file)).stderr


def test_nothing_goes_further_than_the_file_says(
    closed: Stack, key: str, routes: Callable[..., Result], tmp_path: Path, until: Until
) -> None:
    """Pictures on another host of a private network, and calls that are redirected there."""
    with own_server(urls=True) as server, own_server() as other:
        file = add(tmp_path, server.base_url)
        server.pictures_at = other.base_url.removeprefix("http://").removesuffix("/v1")
        text = file.read_text()
        assert routes("push", str(file)).exit_code == 0
        refused = until(lambda: (found := generate(closed.base_url, "my-local", key)) and server.bodies and found)
        assert "no https address" in refused["error"]["message"], refused
        assert other.pictures == 0
        file.write_text(text.replace("\n\n[models", f'\npicture_hosts = ["{server.pictures_at}"]\n\n[models'))
        assert routes("push", str(file)).exit_code == 0
        made = until(lambda: (found := generate(closed.base_url, "my-local", key, "listed")).get("provider") and found)
        assert made["provider"] == "my-local"
        assert other.pictures > 0
        server.redirects_to = other.base_url
        moved = generate(closed.base_url, "my-local", key, "moved")
        assert "307" in moved["error"]["message"], moved
        assert other.bodies == []


def test_operations_in_flight_keep_their_routes(
    closed: Stack, key: str, routes: Callable[..., Result], tmp_path: Path, until: Until
) -> None:
    """Pushed, pushed again and rolled back while operations run: each ends with the provider that it began with."""
    file = tmp_path / "imagegate.toml"
    alice = '[models.mine]\nroute = ["black-forest-labs/flux-1-schnell"]\n'
    bob = '[models.mine]\nroute = ["voodoohop/flux-1-schnell"]\n'

    def push(text: str) -> None:
        file.write_text(text)
        assert routes("push", str(file)).exit_code == 0

    def start(number: int) -> dict[str, Any]:
        """The operation, or why there is none; a gateway that is too busy is asked once more, as clients do."""
        body = {"model": "mine", "prompt": f"[delay 2s] {number}"}
        headers = {"authorization": f"Bearer {key}", "idempotency-key": f"routes-{number}"}
        for _ in range(2):
            answer = requests.post(f"{closed.base_url}/v1/operations", json=body, headers=headers, timeout=LIMIT)
            if answer.status_code != 503:
                break
        return dict(answer.json()) if answer.ok else {"refused": f"{answer.status_code} {answer.text}"}

    def ended(operation: dict[str, Any]) -> dict[str, Any]:
        url = f"{closed.base_url}/v1/operations/{operation['id']}"
        document = requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=LIMIT).json()
        return dict(document) if document["done"] else {}

    push(alice)
    until(lambda: "refused" not in start(0))
    with ThreadPoolExecutor(8) as pool:
        begun = [*pool.map(start, range(1, 7))]
        push(bob)
        begun += pool.map(start, range(7, 13))
        assert routes("rollback").exit_code == 0
        begun += pool.map(start, range(13, 19))
        push("builtins = false\n[providers.voodoohop]\n" + bob)
        assert [entry["refused"] for entry in begun if "refused" in entry] == []
        found = [until(lambda operation=operation: ended(operation)) for operation in begun]
    assert [entry["state"] for entry in found] == ["succeeded"] * len(begun)
    used = {entry["images"][0]["provider"] for entry in found}
    assert used <= {"black-forest-labs", "voodoohop"}
    assert {entry["images"][0]["provider"] for entry in found[:6]} == {"black-forest-labs"}
