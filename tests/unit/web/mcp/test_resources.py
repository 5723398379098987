"""Finished pictures as resources of the MCP endpoint."""

import base64
import json
from dataclasses import replace

import pytest

from imagegate.domain.operation.operation import Operation
from imagegate.web.mcp import resources
from support.gateway import Gateway
from support.mcp import PREVIEW, end, request, result, tool

DAY = 86_400


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def made(gateway: Gateway, n: int = 1, key: str = "") -> Operation:
    tool(gateway, "generate_image", {"prompt": "a fox", "n": n, "wait_seconds": 0}, key=key)
    gateway.clock.sleep(1)
    return end(gateway)


def test_finished_pictures_are_listed_newest_first(gateway: Gateway) -> None:
    first, second = made(gateway), made(gateway, 2)
    tool(gateway, "generate_image", {"prompt": "unfinished", "wait_seconds": 0})
    found = result(gateway, "resources/list")
    uris = [each["uri"] for each in found["resources"]]
    assert uris == [f"imagegate://images/{each}" for each in (f"{second.id}-0", f"{second.id}-1", f"{first.id}-0")]
    [*_, last] = found["resources"]
    assert (last["mimeType"], last["title"], last["size"]) == ("image/png", "a fox", first.pictures[0].bytes)
    assert "nextCursor" not in found


def test_long_lists_come_in_pages(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PAGE", 2)
    ids = [f"imagegate://images/{made(gateway).id}-0" for _ in range(3)]
    first = result(gateway, "resources/list")
    rest = result(gateway, "resources/list", {"cursor": first["nextCursor"]})
    assert [each["uri"] for each in (*first["resources"], *rest["resources"])] == ids[::-1]


def test_pictures_that_are_no_longer_kept_are_not_listed(gateway: Gateway) -> None:
    made(gateway)
    gateway.clock.time += 8 * DAY
    assert result(gateway, "resources/list")["resources"] == []


def test_a_picture_and_its_preview_can_be_read(gateway: Gateway) -> None:
    operation = made(gateway)
    [kept] = operation.pictures
    for kind, mime_type, body in (
        ("images", "image/png", gateway.images.objects[kept.key]),
        ("previews", "image/webp", PREVIEW),
    ):
        uri = f"imagegate://{kind}/{operation.id}-0"
        [found] = result(gateway, "resources/read", {"uri": uri})["contents"]
        assert (found["uri"], found["mimeType"], base64.b64decode(found["blob"])) == (uri, mime_type, body)


def test_an_operation_can_be_read(gateway: Gateway) -> None:
    operation = made(gateway)
    [found] = result(gateway, "resources/read", {"uri": f"imagegate://operations/{operation.id}"})["contents"]
    facts = json.loads(found["text"])
    assert (found["mimeType"], facts["operation_id"], facts["state"]) == ("application/json", operation.id, "succeeded")


def test_there_is_a_template_for_each_kind(gateway: Gateway) -> None:
    templates = result(gateway, "resources/templates/list")["resourceTemplates"]
    assert [each["uriTemplate"].partition("{")[0] for each in templates] == [
        "imagegate://images/",
        "imagegate://previews/",
        "imagegate://operations/",
    ]


@pytest.mark.parametrize(("version", "code", "status"), [("2026-07-28", -32602, 400), ("2025-11-25", -32002, 200)])
@pytest.mark.parametrize(
    "uri",
    [
        "imagegate://images/00000000000000000000-0",
        "imagegate://images/nonsense",
        "imagegate://operations/00000000000000000000",
        "file:///etc/passwd",
        "https://example.com/",
        "imagegate://images/",
        "",
    ],
)
def test_what_does_not_exist_cannot_be_read(gateway: Gateway, uri: str, version: str, code: int, status: int) -> None:
    answer = request(gateway, "resources/read", {"uri": uri}, version=version)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["data"] == {"uri": uri}


def test_another_slot_another_owner_and_a_deleted_picture_do_not_exist() -> None:
    gateway = Gateway(access="keys")
    (_, first), (_, second) = gateway.key(), gateway.key()
    operation = made(gateway, key=first)
    uri = f"imagegate://images/{operation.id}-0"
    assert result(gateway, "resources/read", {"uri": uri}, key=first)["contents"]
    assert request(gateway, "resources/read", {"uri": uri}, key=second).status == 400
    assert request(gateway, "resources/read", {"uri": f"{uri[:-1]}1"}, key=first).status == 400
    assert result(gateway, "resources/list", key=second)["resources"] == []
    gateway.images.objects.clear()
    for gone in (uri, uri.replace("images/", "previews/")):
        assert request(gateway, "resources/read", {"uri": gone}, key=first).status == 400


def test_a_picture_that_is_too_large_is_told_by_its_address(gateway: Gateway) -> None:
    operation = made(gateway)
    large = tuple(replace(picture, bytes=5_000_000) for picture in operation.pictures)
    stored = gateway.store.get(operation.id)
    assert stored
    gateway.store.replace(replace(stored, pictures=large, version=stored.version + 1))
    answer = request(gateway, "resources/read", {"uri": f"imagegate://images/{operation.id}-0"})
    assert answer.status == 400
    assert f"/v1/images/{operation.id}-0" in answer.json()["error"]["message"]
    assert result(gateway, "resources/read", {"uri": f"imagegate://previews/{operation.id}-0"})["contents"]
