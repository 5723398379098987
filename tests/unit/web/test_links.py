"""Signed links: hops of the wait route and pictures, without a key."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from support.fakes import picture
from support.gateway import Answered, Gateway

GENERATIONS = "/v1/images/generations"
OPERATIONS = "/v1/operations"
BODY = {"model": "flux", "prompt": "a cat"}


class World:
    """A gateway with keys and one key."""

    def __init__(self) -> None:
        self.gateway = Gateway(access="keys")
        self.key, text = self.gateway.key()
        self.authorization = f"Bearer {text}"

    def call(self, method: str, url: str, body: Any = None) -> Answered:
        return self.gateway.call(method, url, body, authorization=self.authorization)

    def bare(self, url: str, method: str = "GET", **headers: str) -> Answered:
        """A request without the key."""
        return self.gateway.call(method, url, **headers)

    def end(self, operation_id: str) -> None:
        found = self.gateway.store.get(operation_id)
        assert found
        key = f"images/{operation_id}"
        self.gateway.images.put(key, picture(), "image/png")
        now = self.gateway.clock.now()
        kept = Picture(
            slot=0, key=key, sha256="s", content_type="image/png", width=64, height=48, bytes=9, provider="beta", seed=7
        )
        ended = found.moved(State.RUNNING, now).with_pictures((kept,)).complete_if_done(now)
        self.gateway.store.replace(replace(ended, version=found.version + 1))

    def hop(self) -> str:
        """The Location of a POST that takes longer."""
        location: str = self.call("POST", GENERATIONS, BODY).headers["location"]
        return location

    def ended(self) -> dict[str, Any]:
        """A finished operation of the key."""
        operation_id = self.call("POST", OPERATIONS, BODY).json()["id"]
        self.end(operation_id)
        document: dict[str, Any] = self.call("GET", f"{OPERATIONS}/{operation_id}").json()
        return document


@pytest.fixture
def world() -> World:
    return World()


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


def test_a_client_that_loses_its_key_on_the_way_still_gets_its_picture(world: World) -> None:
    location, hops = world.hop(), 0
    assert location.startswith(f"{OPERATIONS}/"), "relative"
    for hops in range(1, 20):
        answer = world.bare(location, ["GET", "POST"][hops % 2])
        if answer.status != 303:
            break
        location = answer.headers["location"]
        assert f"hop={hops + 1}&" in location
    assert (hops, answer.status, answer.json()["error"]["code"]) == (19, 504, "operation_pending")
    world.end(answer.json()["operation_id"])
    assert world.bare(location).json()["data"]


def test_the_key_is_enough_without_the_token_as_ever(world: World) -> None:
    assert world.call("GET", world.hop().split("&token=")[0]).status == 303


@pytest.mark.parametrize("change", ["tampered", "expired", "another operation", "another path", "none"])
def test_a_hop_token_opens_its_operations_wait_for_a_while_and_nothing_else(world: World, change: str) -> None:
    hop = world.hop()
    path, token = urlsplit(hop).path, token_of(hop)
    other = World.ended(world)["urls"]["self"] + "/wait"
    url = {
        "tampered": hop[:-1] + ("a" if hop[-1] != "a" else "b"),
        "expired": hop,
        "another operation": f"{other}?token={token}",
        "another path": f"{path.removesuffix('/wait')}?token={token}",
        "none": f"{path}?hop=1",
    }[change]
    if change == "expired":
        world.gateway.clock.sleep(601)
    answer = world.bare(url)
    assert answer.status == 401
    assert token not in answer.text


def test_a_token_does_not_help_a_foreign_key_elsewhere(world: World) -> None:
    token = token_of(world.hop())
    [operation_id] = world.gateway.store.documents
    other = f"Bearer {world.gateway.key()[1]}"
    for method, path in [("DELETE", ""), ("POST", ":cancel"), ("POST", ":retry"), ("GET", "")]:
        url = f"{OPERATIONS}/{operation_id}{path}?token={token}"
        assert world.gateway.call(method, url, authorization=other).status == 404
        assert world.bare(url, method).status == 401


def test_a_picture_opens_with_its_link_as_long_as_it_is_kept(world: World) -> None:
    document = world.ended()
    [image] = document["images"]
    assert document["urls"]["images"] == [image["url"]]
    assert image["id"] == f"{document['id']}-0"
    answer = world.bare(image["url"])
    assert answer.status == 302
    assert answer.headers["location"].startswith("https://bucket.invalid/")
    assert world.call("GET", f"/v1/images/{image['id']}").status == 302, "with the key"
    assert world.bare(f"/v1/images/{image['id']}").status == 401
    assert world.bare(f"/v1/images/{document['id']}-1?token={token_of(image['url'])}").status == 401
    world.gateway.clock.sleep(7 * 86_400 + 1)
    assert world.bare(image["url"]).status == 401
    assert world.call("GET", image["url"]).status == 410


def test_a_pictures_link_is_the_same_in_every_answer(world: World) -> None:
    document = world.ended()
    world.gateway.clock.sleep(3600)
    assert world.call("GET", document["urls"]["self"]).json() == document
    assert world.call("GET", OPERATIONS).json()["operations"] == [document]
    assert world.call("GET", document["urls"]["wait"]).json() == document


def test_deleting_an_operation_closes_its_links(world: World) -> None:
    document = world.ended()
    assert world.call("DELETE", document["urls"]["self"]).status == 204
    assert world.bare(document["images"][0]["url"]).status == 404


def test_a_link_needs_no_key_but_does_not_mind_a_wrong_one(world: World) -> None:
    url = world.ended()["images"][0]["url"]
    assert world.bare(url, authorization="Bearer stale").status == 302


@pytest.mark.parametrize("query", ["token=", "token=a", "token=%00", "token=%F0%9F", "token=1.o.s&token=x", "xtoken=1"])
def test_invented_tokens_are_no_key(world: World, query: str) -> None:
    operation_id = world.ended()["id"]
    assert world.bare(f"{OPERATIONS}/{operation_id}/wait?{query}").status == 401


def test_where_everything_is_open_links_are_plain() -> None:
    gateway = Gateway()
    assert "token" not in gateway.call("POST", GENERATIONS, BODY).headers["location"]
