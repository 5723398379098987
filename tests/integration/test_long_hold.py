"""The long-hold address of the template as deployed, with clients that follow no redirect."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
import requests

from imagegate.local.stack.stack import Stack

LONGER_THAN_THE_HOLD = "[delay 5s] {} waits"
"""The stack holds a POST for one second at the other address."""
Headers = dict[str, str]
Client = Callable[[str, Headers], Any]
PATIENCE = 55


def body(who: str, form: str = "url") -> dict[str, str]:
    return {"model": "flux", "prompt": LONGER_THAN_THE_HOLD.format(who), "response_format": form}


def requests_url(url: str, headers: Headers) -> Any:
    return posted(url, headers, body("requests"))


def requests_b64(url: str, headers: Headers) -> Any:
    return posted(url, headers, body("requests", "b64_json"))


def posted(url: str, headers: Headers, asked: Mapping[str, str]) -> Any:
    answer = requests.post(f"{url}/v1/images/generations", json=asked, headers=headers, allow_redirects=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"][0]


def openai_package(url: str, headers: Headers) -> Any:
    """As a client whose HTTP library follows nothing, such as OpenAI's for .NET."""
    key = headers["Authorization"].removeprefix("Bearer ")
    unled = httpx.Client(follow_redirects=False, timeout=PATIENCE)
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, http_client=unled, max_retries=0) as client:
        answer = client.images.generate(model="flux", prompt=LONGER_THAN_THE_HOLD.format("openai"))
    assert answer.data
    return {"url": answer.data[0].url}


def curl(url: str, headers: Headers) -> Any:
    command = ["curl", "-sS", f"{url}/v1/images/generations", "--json", json.dumps(body("curl", "b64_json"))]
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run([*command, *named], capture_output=True, check=True, timeout=PATIENCE)
    return json.loads(done.stdout)["data"][0]


CLIENTS: Mapping[str, Client] = {entry.__name__: entry for entry in (requests_url, requests_b64, openai_package, curl)}


@pytest.fixture(scope="module")
def headers(cli: Callable[..., dict[str, Any]]) -> Headers:
    return {"Authorization": f"Bearer {cli('create', '--name', 'unled', '--json')['key']}"}


@pytest.fixture(scope="module")
def long_hold_url(closed: Stack) -> str:
    assert closed.long_hold_url
    return closed.long_hold_url


@pytest.fixture(scope="module")
def made(long_hold_url: str, headers: Headers) -> Mapping[str, Future[Any]]:
    """What all clients get, who wait at once."""
    with ThreadPoolExecutor() as pool:
        return {name: pool.submit(client, long_hold_url, headers) for name, client in CLIENTS.items()}


@pytest.mark.parametrize("name", CLIENTS)
def test_one_post_is_a_picture(made: Mapping[str, Future[Any]], name: str) -> None:
    datum = made[name].result()
    [form] = datum
    picture = requests.get(datum["url"]).content if form == "url" else base64.b64decode(datum["b64_json"])
    assert picture[:4] == b"RIFF"


def test_the_other_address_would_have_sent_them_elsewhere(closed: Stack, headers: Headers) -> None:
    answer = requests.post(
        f"{closed.base_url}/v1/images/generations", json=body("a stranger"), headers=headers, allow_redirects=False
    )
    assert answer.status_code == 303


def test_it_asks_for_keys_and_knows_what_was_made_elsewhere(
    closed: Stack, long_hold_url: str, headers: Headers
) -> None:
    sent = {"model": "flux", "prompt": "a cat for both"}
    made = requests.post(f"{closed.base_url}/v1/operations", json=sent, headers=headers)
    path = made.headers["location"]
    assert requests.get(long_hold_url + path, headers=headers).json()["id"] == made.json()["id"]
    assert requests.get(long_hold_url + path).status_code == 401
    assert requests.post(f"{long_hold_url}/v1/images/generations", json=body("x")).json()["error"]["code"] == (
        "invalid_api_key"
    )


def test_yandexarts_and_our_own_clients_get_what_they_get_elsewhere(long_hold_url: str, headers: Headers) -> None:
    sent = {"modelUri": "art://f/flux", "messages": [{"text": "a cat at once"}]}
    pending = requests.post(
        f"{long_hold_url}/foundationModels/v1/imageGenerationAsync", json=sent, headers=headers
    ).json()
    native = {"model": "flux", "prompt": LONGER_THAN_THE_HOLD.format("native")}
    created = requests.post(f"{long_hold_url}/v1/operations", json=native, headers=headers)
    assert (pending["done"], created.status_code, created.json()["done"]) == (False, 202, False)
    waited = requests.get(
        long_hold_url + created.json()["urls"]["wait"], headers=headers, allow_redirects=False, timeout=PATIENCE
    )
    assert (waited.status_code, waited.json()["state"]) == (200, "succeeded")
    ended = requests.get(f"{long_hold_url}/operations/{pending['id']}", headers=headers).json()
    assert ended["response"]["image"]


def test_a_page_of_an_allowed_origin_may_call_it(closed: Stack) -> None:
    """Lambda answers a preflight itself, as the template says."""
    urls = closed.client("lambda")
    [function] = [other for other in urls.list_functions()["Functions"] if other["Handler"] == "hold.handler"]
    config = urls.get_function_url_config(FunctionName=function["FunctionName"])
    assert (config["AuthType"], config["Cors"]["AllowOrigins"]) == ("NONE", ["https://app.example.com"])
    assert config["FunctionUrl"] == closed.outputs["LongHoldUrl"]
