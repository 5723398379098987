"""The tools: what they make, how long they wait, what they say, to whom."""

import base64
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from imagegate.dialects.mcp.arguments import (
    EditsBody,
    ListArguments,
    OperationArguments,
    PictureArguments,
    WaitArguments,
)
from imagegate.dialects.mcp.results import LARGEST_PREVIEWS
from imagegate.dialects.mcp.tools import TOOLS
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.request.routes import Routes
from imagegate.usecases.uploads import LARGEST_UPLOAD
from support.fakes import picture, routes
from support.gateway import Gateway
from support.mcp import FOX, LATEST, NOW, PREVIEW, EventfulClock, end, request, result, started, texts, tool


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def gateway(clock: EventfulClock) -> Gateway:
    return Gateway(clock=clock, routes=editing())


def editing() -> Routes:
    """The fakes' routes; `flux` takes three input pictures, and a mask."""
    [route] = routes("alpha", "beta")
    targets = (
        replace(target, limits=replace(target.limits, input_images=3, supports_masks=True)) for target in route.targets
    )
    return Routes([replace(route, targets=tuple(targets))])


def test_a_picture_that_is_made_in_time_comes_with_the_answer(gateway: Gateway, clock: EventfulClock) -> None:
    clock.events.append((clock.time + 4, lambda: end(gateway)))
    found = tool(gateway, "generate_image", FOX)
    assert [part["type"] for part in found["content"]] == ["text", "image", "resource_link"]
    _, preview, link = found["content"]
    assert (base64.b64decode(preview["data"]), preview["mimeType"]) == (PREVIEW, "image/webp")
    assert (link["mimeType"], link["title"]) == ("image/png", FOX["prompt"])
    facts = found["structuredContent"]
    assert (facts["state"], facts["done"], facts["retry_after"], found["isError"]) == ("succeeded", True, None, False)
    [image] = facts["images"]
    assert image["uri"] == link["uri"] == f"imagegate://images/{facts['operation_id']}-0"
    assert (image["width"], image["height"], image["seed"]) == (64, 48, 7)
    assert image["url"] in texts(found)


def test_a_slow_one_is_answered_after_25_seconds_with_what_to_do(gateway: Gateway, clock: EventfulClock) -> None:
    began = clock.time
    found = tool(gateway, "generate_image", FOX)
    assert 25 <= clock.time - began < 26
    facts = found["structuredContent"]
    assert (facts["done"], facts["state"], facts["images"]) == (False, "queued", [])
    assert facts["retry_after"] > 0
    assert "get_operation" in texts(found)
    assert facts["operation_id"] in texts(found)
    clock.events.append((clock.time + 10, lambda: end(gateway)))
    later = tool(gateway, "get_operation", {"operation_id": facts["operation_id"]})
    assert later["structuredContent"]["done"]
    assert [part["type"] for part in later["content"]] == ["text", "image", "resource_link"]
    assert len(gateway.workflow.runs) == 1


@pytest.mark.parametrize(("seconds", "held"), [(0, 0), (3, 3), (25, 25)])
def test_the_caller_says_how_long_to_wait(gateway: Gateway, clock: EventfulClock, seconds: int, held: int) -> None:
    began = clock.time
    tool(gateway, "generate_image", {**FOX, "wait_seconds": seconds})
    assert held <= clock.time - began < held + 1


@pytest.mark.parametrize("redirects", [True, False])
def test_no_address_holds_longer_or_redirects(clock: EventfulClock, redirects: bool) -> None:
    gateway, began = Gateway(clock=clock, hold_seconds=600, redirects=redirects), clock.time
    assert request(gateway, "tools/call", {"name": "generate_image", "arguments": FOX}).status == 200
    assert clock.time - began < 26


def test_every_call_is_an_order_of_its_own_unless_it_has_an_idempotency_key(gateway: Gateway) -> None:
    assert started(gateway) != started(gateway)
    assert started(gateway, idempotency_key="k") == started(gateway, idempotency_key="k")
    other = tool(gateway, "generate_image", {**NOW, "n": 2}, idempotency_key="k")
    assert other["isError"]
    assert texts(other).startswith("idempotency_key_reused")


def test_what_a_request_can_wish_reaches_the_operation(gateway: Gateway) -> None:
    tool(
        gateway,
        "generate_image",
        {**NOW, "model": "flux", "n": 2, "size": "512x256", "seed": 9, "output_format": "png"},
    )
    [operation] = map(gateway.store.get, gateway.store.documents)
    assert operation
    made = operation.request
    assert (made.n, made.seed, made.output_format, operation.dialect) == (2, 9, "png", "mcp")
    assert made.size
    assert (made.size.width, made.size.height) == (512, 256)
    assert made.prompt == FOX["prompt"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("generate_image", {}, "'prompt'"),
        ("generate_image", {**FOX, "n": 11}, "'n'"),
        ("generate_image", {**FOX, "size": "huge"}, "'size'"),
        ("generate_image", {**FOX, "model": "nope"}, "flux"),
        ("generate_image", {**FOX, "wait_seconds": 26}, "'wait_seconds'"),
        ("generate_image", {**FOX, "sead": 7}, "Unknown argument: 'sead'"),
        ("generate_image", {**FOX, "image": "data:image/png;base64,aaaa"}, "Unknown argument: 'image'"),
        ("edit_image", FOX, "'images'"),
        ("edit_image", {**FOX, "images": []}, "'images'"),
        ("edit_image", {**FOX, "images": ["nothing"]}, "must be a picture"),
        ("edit_image", {**FOX, "images": ["imagegate://images/00000000000000000000-0"]}, "does not exist"),
        ("edit_image", {**FOX, "images": ["https://nowhere.example.com/a.png"]}, "could not be fetched"),
        ("get_operation", {}, "'operation_id'"),
        ("get_operation", {"operation_id": "0" * 20}, "does not exist"),
        ("cancel_operation", {"operation_id": "nonsense"}, "does not exist"),
        ("list_operations", {"state": "sleeping"}, "'state'"),
        ("list_operations", {"page_token": "nonsense"}, "page_token"),
        ("list_models", {"all": True}, "Unknown argument"),
    ],
)
def test_a_wrong_argument_is_told_to_the_model(gateway: Gateway, name: str, arguments: Any, said: str) -> None:
    found = tool(gateway, name, arguments)
    assert found["isError"]
    assert said in texts(found)
    assert gateway.workflow.runs == []


def test_null_means_that_the_argument_is_left_out(gateway: Gateway) -> None:
    found = tool(gateway, "generate_image", {**NOW, "seed": None, "size": "", "model": None})
    assert not found["isError"]


def test_edits_work_from_earlier_pictures_addresses_and_bytes(gateway: Gateway) -> None:
    operation = started(gateway)
    end(gateway)
    gateway.elsewhere["https://example.com/a.png"] = picture(32, 32)
    data = f"data:image/png;base64,{base64.b64encode(picture(16, 16)).decode()}"
    images = [f"imagegate://images/{operation}-0", "https://example.com/a.png", data]
    arguments = {"prompt": "make it blue", "images": images, "mask": images[0], "wait_seconds": 0}
    edited = tool(gateway, "edit_image", arguments)["structuredContent"]["operation_id"]
    found = gateway.store.get(edited)
    assert found
    assert (len(found.request.inputs), found.request.mask is not None) == (3, True)
    assert {key.key for key in found.request.pictures_sent} <= set(gateway.images.objects)


def test_pictures_that_are_too_large_together_are_refused(gateway: Gateway) -> None:
    operation = started(gateway)
    found = end(gateway)
    [made] = found.pictures
    grown = replace(found, pictures=(replace(made, bytes=LARGEST_UPLOAD // 2 + 1),), version=found.version + 2)
    gateway.store.replace(grown)
    images = [f"imagegate://images/{operation}-0"] * 2
    refused = tool(gateway, "edit_image", {"prompt": "both", "images": images, "wait_seconds": 0})
    assert refused["isError"]
    assert f"{LARGEST_UPLOAD} bytes" in texts(refused)


def test_a_failure_is_an_error_with_its_reason(gateway: Gateway) -> None:
    operation = started(gateway)
    end(gateway, Failure(FailureCode.CONTENT_FILTERED, "The prompt was refused."))
    found = tool(gateway, "get_operation", {"operation_id": operation})
    assert found["isError"]
    assert "content_filtered: The prompt was refused." in texts(found)
    assert found["structuredContent"]["error"]["code"] == "content_filtered"


def test_cancel_stops_an_operation_once(gateway: Gateway) -> None:
    operation = started(gateway)
    found = tool(gateway, "cancel_operation", {"operation_id": operation})
    assert (found["structuredContent"]["state"], found["isError"]) == ("cancelled", False)
    assert tool(gateway, "get_operation", {"operation_id": operation})["structuredContent"]["done"]


def test_a_result_has_as_many_previews_as_clients_take(gateway: Gateway) -> None:
    operation = tool(gateway, "generate_image", {**NOW, "n": 10})["structuredContent"]["operation_id"]
    end(gateway)
    for key in [key for key in gateway.images.objects if key.endswith(".preview.webp")]:
        gateway.images.objects[key] = bytes(LARGEST_PREVIEWS // 4)
    answer = request(gateway, "tools/call", {"name": "get_operation", "arguments": {"operation_id": operation}})
    kinds = [part["type"] for part in answer.json()["result"]["content"]]
    assert (kinds.count("image"), kinds.count("resource_link")) == (3, 10)
    assert len(answer.text) < 1_000_000


def test_structured_content_holds_no_bytes(gateway: Gateway) -> None:
    operation = started(gateway)
    end(gateway)
    found = tool(gateway, "get_operation", {"operation_id": operation})
    encoded = base64.b64encode(PREVIEW).decode()
    assert encoded in str(found["content"])
    assert encoded not in str(found["structuredContent"])


@pytest.mark.parametrize("preview", [True, False])
def test_without_a_preview_there_is_still_the_link(gateway: Gateway, preview: bool) -> None:
    operation = started(gateway)
    end(gateway, preview=preview)
    gateway.images.objects = {}
    found = tool(gateway, "get_operation", {"operation_id": operation})
    assert [part["type"] for part in found["content"]] == ["text", "resource_link"]


@pytest.mark.parametrize("version", ["2025-03-26", "2024-11-05"])
def test_older_clients_get_text_and_pictures_only(gateway: Gateway, version: str) -> None:
    operation = started(gateway)
    end(gateway)
    found = tool(gateway, "get_operation", {"operation_id": operation}, version=version)
    assert [part["type"] for part in found["content"]] == ["text", "image"]
    assert "structuredContent" not in found
    assert f"imagegate://images/{operation}-0" in texts(found)


@pytest.mark.parametrize("version", [LATEST, "2025-11-25", "2025-06-18"])
@pytest.mark.parametrize("name", TOOLS)
def test_results_are_as_their_schemas_say(gateway: Gateway, name: str, version: str) -> None:
    operation = started(gateway)
    if name != "cancel_operation":
        end(gateway)
    data = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    arguments = {
        "generate_image": NOW,
        "edit_image": {**NOW, "images": [data]},
        "get_operation": {"operation_id": operation},
        "cancel_operation": {"operation_id": operation},
    }.get(name, {})
    [listed] = [each for each in result(gateway, "tools/list", version=version)["tools"] if each["name"] == name]
    jsonschema.Draft202012Validator.check_schema(listed["inputSchema"])
    jsonschema.validate(arguments, listed["inputSchema"], jsonschema.Draft202012Validator)
    found = tool(gateway, name, arguments, version=version)
    jsonschema.validate(found["structuredContent"], listed["outputSchema"], jsonschema.Draft202012Validator)


def test_every_argument_that_is_advertised_is_read() -> None:
    kinds = (EditsBody, WaitArguments, PictureArguments, OperationArguments, ListArguments)
    read = {name for kind in kinds for name in kind.model_fields}
    advertised = {name for each in TOOLS.values() for name in each["inputSchema"]["properties"]}
    assert advertised <= read


def test_annotations_say_what_costs_and_what_changes_nothing() -> None:
    hints = {name: each["annotations"] for name, each in TOOLS.items()}
    assert {name for name, hint in hints.items() if hint["readOnlyHint"]} == {
        "get_operation",
        "list_models",
        "list_operations",
    }
    assert {name for name, hint in hints.items() if hint["destructiveHint"]} == {"cancel_operation"}
    assert not hints["generate_image"]["idempotentHint"]
    assert all("cost money" in TOOLS[name]["description"] for name in ("generate_image", "edit_image"))


def test_a_list_that_is_too_large_goes_on_at_the_next_page(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegate.web.mcp.tools.LARGEST_LIST", 1000)
    made, found, token = [], list[str](), None
    for _ in range(5):
        made.append(started(gateway))
        gateway.clock.sleep(1)
    while True:
        page = tool(gateway, "list_operations", {"page_token": token} if token else {})["structuredContent"]
        assert 1 <= len(page["operations"]) < 5
        found += [each["operation_id"] for each in page["operations"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert found == made[::-1]


def test_lists_find_operations_and_models(gateway: Gateway) -> None:
    first = started(gateway)
    gateway.clock.sleep(1)
    second = started(gateway)
    page = tool(gateway, "list_operations", {"page_size": 1})["structuredContent"]
    assert [each["operation_id"] for each in page["operations"]] == [second]
    rest = tool(gateway, "list_operations", {"page_token": page["next_page_token"]})["structuredContent"]
    assert [each["operation_id"] for each in rest["operations"]] == [first]
    assert tool(gateway, "list_operations", {"model": "flux-schnell"})["structuredContent"]["operations"]
    assert not tool(gateway, "list_operations", {"model": "nope"})["structuredContent"]["operations"]
    [model] = tool(gateway, "list_models")["structuredContent"]["models"]
    assert (model["id"], model["edits"], model["price_usd"]) == ("flux", True, 0.002)
