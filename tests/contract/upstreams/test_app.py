"""What all stand-ins share: one address, bounded memory, an event loop that stays free."""

import asyncio

import httpx
import pytest

from imagegate.local.upstreams.app import BASE_PATHS, STAND_INS, build_app, describe_app
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.serving import serving


def test_the_index_names_every_upstream(client: httpx.Client) -> None:
    answer = client.get("/")

    assert answer.text == describe_app()
    assert all(stand_in.base_path in answer.text and stand_in.speaks in answer.text for stand_in in STAND_INS)


@pytest.mark.parametrize("provider", ["black-forest-labs", "voodoohop"])
def test_spaces_tell_their_root(client: httpx.Client, provider: str) -> None:
    config = client.get(f"{BASE_PATHS[provider]}/config").json()

    assert config["root"] == f"{client.base_url}{BASE_PATHS[provider]}"


@pytest.mark.parametrize(
    ("path", "key"),
    [("/voodoohop/nope", "detail"), ("/yandexart/nope", "code"), ("/openai/nope", "error")],
)
def test_unknown_paths_are_answered_in_the_protocols_shape(client: httpx.Client, path: str, key: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert key in answer.json()


def test_latency_can_differ_per_protocol() -> None:
    with serving(build_app(latency_seconds=30, latencies={"openai": 0})) as url:
        key = {"authorization": "Bearer any"}
        answer = httpx.post(f"{url}/openai/v1/images/generations", json={"prompt": "a fox"}, headers=key, timeout=5)

    assert answer.status_code == 200


def test_the_ledger_can_be_cleared(client: httpx.Client) -> None:
    call = {"data": ["[fault http-503 x1] a fox", 7, False, 256, 256, 4]}
    url = f"{BASE_PATHS['voodoohop']}/call/infer"
    assert [client.post(url, json=call).status_code for _ in range(2)] == [503, 200]

    assert client.delete("/_standin/submissions").status_code == 204
    assert client.get("/_standin/submissions").json() == {"count": 0, "submissions": []}
    assert client.post(url, json=call).status_code == 503


def test_the_ledger_survives_any_prompt(client: httpx.Client) -> None:
    call = '{"data": ["half a fox \\ud83e", 7, false, 256, 256, 4]}'
    headers = {"content-type": "application/json"}
    client.post(f"{BASE_PATHS['voodoohop']}/call/infer", content=call, headers=headers).raise_for_status()

    assert client.get("/_standin/submissions").json()["submissions"][0]["prompt"] == "half a fox \ud83e"


def test_what_is_remembered_is_bounded() -> None:
    recent: Recent[int] = Recent(most=2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)

    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


async def fetch_many(url: str) -> list[int]:
    """Statuses of twenty pictures drawn at once, and of the index asked for meanwhile."""
    key = {"authorization": "Bearer any"}
    async with httpx.AsyncClient(base_url=url, headers=key, timeout=20) as client:
        generation = {"prompt": "a fox", "response_format": "b64_json", "size": "256x256"}
        calls = [client.post("/openai/v1/images/generations", json=generation) for _ in range(20)]
        return [answer.status_code for answer in await asyncio.gather(*calls, client.get("/"))]


def test_many_at_once(stand_ins: str) -> None:
    assert asyncio.run(fetch_many(stand_ins)) == [200] * 21
