"""A page of another origin in a real browser, beside a running gateway: it gets nothing and starts nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.chromium import Site, attempt, document, hosting
from support.stack_settings import WITH_WEBHOOKS, on_free_ports

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.xdist_group("browser-two")]

EVIL, APP = "evil.example", "app.example"
Attempt = Mapping[str, Any]
WISH = {"model": "flux", "prompt": "a picture for a page"}
FORGED = "AWS4-HMAC-SHA256 Credential=test/20261128/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"
TARGETS = ("DynamoDB_20120810.ListTables", "AmazonSSM.GetParametersByPath")


@dataclass(frozen=True)
class World:
    """A running stack that names one origin, and the site that has it under one of its names."""

    stack: Stack
    site: Site
    picture: str
    """A presigned URL."""

    def traces(self) -> dict[str, Any]:
        """All that a page could have started or changed."""
        stack = self.stack
        return {
            "operations": requests.get(f"{stack.base_url}/v1/operations?page_size=100").json()["operations"],
            "submissions": requests.get(f"{stack.upstreams_url}/_standin/submissions").json(),
            "functions": [entry["FunctionName"] for entry in stack.client("lambda").list_functions()["Functions"]],
            "items": stack.client("dynamodb").scan(TableName=stack.outputs["TableName"], Select="COUNT")["Count"],
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = on_free_ports(tmp_path_factory.mktemp("browser"))
    with hosting() as site:
        origins = {"CorsOrigins": site.origin(APP)}
        settings = replace(
            settings,
            parameters={**settings.parameters, **WITH_WEBHOOKS, **origins},
            stand_ins=StandIns(build_app(latency_seconds=0.2), STAND_IN_SECRETS),
        )
        with Stack(settings) as stack:
            made = requests.post(f"{stack.base_url}/v1/images/generations", json=WISH).json()
            yield World(stack, site, made["data"][0]["url"])


def posts(name: str, url: str, body: Any, **headers: str) -> list[Attempt]:
    """Every way in which a page can POST."""
    text = json.dumps(body)
    head, _, tail = json.dumps({**body, "rest": "="}).partition("=")
    plain = {"method": "POST", "body": text, "headers": {"Content-Type": "text/plain"}}
    sent = {"method": "POST", "body": text, "headers": {"Content-Type": "application/json", **headers}}
    return [
        {"name": f"{name}: with a preflight", "kind": "fetch", "url": url, "options": sent},
        {"name": f"{name}: simple", "kind": "fetch", "url": url, "options": plain},
        {"name": f"{name}: no-cors", "kind": "fetch", "url": url, "options": {**plain, "mode": "no-cors"}},
        {"name": f"{name}: form", "kind": "form", "url": url, "fields": {head: tail}, "enctype": "text/plain"},
        {"name": f"{name}: beacon", "kind": "beacon", "url": url, "body": text},
    ]


def reads(name: str, url: str) -> list[Attempt]:
    """Every way in which a page can GET."""
    kinds: list[Attempt] = [
        {"name": f"{name}: {kind}", "kind": kind, "url": url} for kind in ("image", "script", "frame")
    ]
    modes: list[Attempt] = [
        {"name": f"{name}: {mode}", "kind": "fetch", "url": url, "options": {"mode": mode}}
        for mode in ("cors", "no-cors")
    ]
    sockets: list[Attempt] = [
        {"name": f"{name}: socket", "kind": "socket", "url": url.replace("http", "ws", 1)},
        {"name": f"{name}: events", "kind": "events", "url": url},
    ]
    return [*kinds, *modes, *sockets]


def on_the_gateway(world: World) -> list[Attempt]:
    return on_a_door(world, world.stack.base_url)


def on_the_long_hold_address(world: World) -> list[Attempt]:
    assert world.stack.long_hold
    return on_a_door(world, world.stack.long_hold.url)


def on_a_door(world: World, base: str) -> list[Attempt]:
    webhook = {"url": f"{world.stack.upstreams_url}/", "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    return [
        *posts("generation", f"{base}/v1/images/generations", WISH),
        *posts("operation", f"{base}/v1/operations", {**WISH, "webhook": webhook}),
        *posts("yandexart", f"{base}/foundationModels/v1/imageGenerationAsync", {"messages": [{"text": "a cat"}]}),
        *reads("list", f"{base}/v1/operations"),
        *reads("docs", f"{base}/docs"),
    ]


def on_the_embedded_aws(world: World) -> list[Attempt]:
    aws = world.stack.aws_endpoint
    of_targets = [
        post
        for target in TARGETS
        for post in posts(target, f"{aws}/", {"Path": "/"}, **{"Authorization": FORGED, "X-Amz-Target": target})
    ]
    api = f"{aws}/_aws/execute-api/{world.stack.api_id}/$default/v1"
    return [
        *of_targets,
        *posts("function", f"{aws}/2015-03-31/functions", {"FunctionName": "evil"}, Authorization=FORGED),
        *posts("around the door", f"{api}/images/generations", WISH),
        *posts("reset", f"{aws}/_ministack/reset", {}),
        *reads("around the door", f"{api}/operations"),
        *reads("queues", f"{aws}/_ministack/sqs/messages"),
        *reads("buckets", f"{aws}/"),
    ]


def on_the_stand_ins(world: World) -> list[Attempt]:
    base = world.stack.upstreams_url
    return [
        *posts("stand-in", f"{base}/openai/v1/images/generations", {"model": "gpt-image-2", "prompt": "x"}),
        *reads("submissions", f"{base}/_standin/submissions"),
    ]


@pytest.mark.parametrize("attack", [on_the_gateway, on_the_long_hold_address, on_the_embedded_aws, on_the_stand_ins])
def test_a_page_of_another_origin_gets_nothing_and_starts_nothing(world: World, attack: Any, tmp_path: Path) -> None:
    before, attempts = world.traces(), attack(world)
    outcomes = attempt(world.site, EVIL, attempts, tmp_path)
    assert set(outcomes) == {attempt["name"] for attempt in attempts}
    got = {name: found for name, found in outcomes.items() if found["outcome"] in ("read", "shown", "run", "open")}
    assert got == {}
    assert world.traces() == before


def test_a_page_may_show_a_picture_whose_address_it_knows_and_not_read_it(world: World, tmp_path: Path) -> None:
    outcomes = attempt(world.site, EVIL, reads("picture", world.picture), tmp_path)
    assert outcomes["picture: image"] == {"outcome": "shown"}
    assert outcomes["picture: no-cors"] == {"outcome": "opaque"}
    assert outcomes["picture: cors"] == {"outcome": "failed"}


def test_a_page_of_an_origin_that_is_named_makes_a_picture_and_reads_it(world: World, tmp_path: Path) -> None:
    base = world.stack.base_url
    key = {"Authorization": "Bearer x", "X-Stainless-Lang": "js"}
    operation = requests.get(f"{base}/v1/operations").json()["operations"][0]["id"]
    sent = {"method": "POST", "body": json.dumps(WISH), "headers": {**key, "Content-Type": "application/json"}}
    attempts = [
        {"name": "made", "kind": "fetch", "url": f"{base}/v1/images/generations", "options": sent},
        {"name": "followed", "kind": "fetch", "url": f"{base}/v1/images/{operation}-0", "options": {"headers": key}},
        {"name": "read", "kind": "fetch", "url": world.picture},
    ]
    outcomes = attempt(world.site, APP, attempts, tmp_path)
    assert (outcomes["made"].get("status"), outcomes["made"].get("type")) == (200, "application/json"), outcomes
    for name in ("followed", "read"):
        assert (outcomes[name].get("status"), outcomes[name].get("type")) == (200, "image/webp"), outcomes
    refused = attempt(world.site, APP, on_the_embedded_aws(world), tmp_path)
    assert not [name for name, found in refused.items() if found["outcome"] in ("read", "shown", "run", "open")]


def test_a_name_that_was_made_to_lead_here_shows_nothing(world: World, tmp_path: Path) -> None:
    stack = world.stack
    for base, path in ((stack.base_url, "/v1/operations"), (stack.aws_endpoint, "/"), (str(stack.upstreams_url), "/")):
        rebound = f"{base.replace('127.0.0.1', EVIL)}{path}"
        assert "must name this machine" in document(rebound, tmp_path)
    assert "operations" in document(f"{stack.base_url}/v1/operations", tmp_path), "it would show it"
