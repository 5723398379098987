"""What becomes of a response's request: model, prompt, input pictures, options, and what is refused."""

import base64
from typing import Any

import pytest

from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.geometry import Size
from support.ended import end_at_once
from support.fakes import picture
from support.fuzz_server import able_routes, two_models
from support.gateway import Answered, Gateway

RESPONSES = "/v1/responses"
DATA_URL = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
OTHER_URL = f"data:image/png;base64,{base64.b64encode(picture(32, 24)).decode()}"
TOOL = {"type": "image_generation"}
FOX = {"role": "user", "content": "a fox"}
WINTER = {"role": "user", "content": "make it winter"}
SENT = {
    "role": "user",
    "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": DATA_URL}],
}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(routes=two_models())


def post(gateway: Gateway, value: Any, **fields: Any) -> Answered:
    return gateway.call("POST", RESPONSES, {"input": value, "tools": [TOOL], **fields}, prefer="respond-async")


def started(gateway: Gateway, value: Any, **fields: Any) -> Operation:
    answer = post(gateway, value, **fields)
    assert answer.status == 202, answer.text
    operation = gateway.store.get(answer.json()["id"])
    assert operation
    return operation


def inputs(gateway: Gateway, operation: Operation) -> list[bytes]:
    return [gateway.images.objects[each.key] for each in operation.request.inputs]


def made_before(gateway: Gateway, **fields: Any) -> Any:
    """A response whose picture was made."""
    with_end = gateway.store.create
    end_at_once(gateway)
    made = gateway.call("POST", RESPONSES, {"input": "a fox", "model": "flux", **fields}).json()
    gateway.store.create = with_end  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize(
    ("fields", "model", "reported"),
    [
        ({"model": "able"}, "able", ()),
        ({"model": "able", "tools": []}, "able", ()),
        ({"model": "gpt-5.5"}, "flux", ("model",)),
        ({}, "flux", ()),
        ({"model": "gpt-5.5", "tools": [{**TOOL, "model": "able"}]}, "able", ()),
        ({"model": "flux", "tools": [{**TOOL, "model": "able"}]}, "able", ()),
    ],
    ids=str,
)
def test_the_model_that_makes_the_picture(
    gateway: Gateway, fields: dict[str, Any], model: str, reported: tuple[str, ...]
) -> None:
    operation = started(gateway, "a fox", **fields)
    assert (operation.model, operation.request.unused_fields) == (model, reported)


def test_with_a_picture_it_is_one_that_works_from_it(gateway: Gateway) -> None:
    operation = started(gateway, [SENT], model="gpt-5.5")
    assert (operation.model, inputs(gateway, operation)) == ("able", [picture()])


def test_a_key_for_one_model_gets_that_one() -> None:
    gateway = Gateway(access="keys", routes=two_models())
    _, key = gateway.key(models=("able",))
    body = {"input": "a fox", "model": "gpt-5.5", "tools": [TOOL]}
    assert gateway.call("POST", RESPONSES, body, prefer="respond-async", x_api_key=key).json()["model"] == "able"


def test_the_options_of_the_tool_come_before_those_beside_the_input(gateway: Gateway) -> None:
    tool = {**TOOL, "size": "1024x512", "output_format": "webp", "output_compression": 80, "moderation": "low"}
    request = started(gateway, "a fox", tools=[tool], size="512x512", seed=7, model="able").request
    assert (request.size, request.seed) == (Size(1024, 512), 7)
    assert (request.output_format, request.output_compression, request.moderation) == ("webp", 80, "low")
    assert started(gateway, "a fox").request.output_format == "png"


def test_what_has_no_effect_is_named(gateway: Gateway) -> None:
    fields = {"instructions": "Be nice.", "temperature": 1, "tools": [{**TOOL, "partial_images": 2}], "include": ["x"]}
    operation = started(gateway, [FOX, {"role": "assistant", "content": "Yes."}, WINTER], **fields)
    assert operation.request.prompt == "make it winter"
    assert set(operation.request.unused_fields) == {"instructions", "temperature", "input"}
    assert operation.request.partial_images == 2


def test_a_language_model_that_expands_gets_the_conversation(gateway: Gateway) -> None:
    value = [FOX, {"role": "assistant", "content": "Yes."}, WINTER]
    operation = started(gateway, value, instructions="Be nice.", expand=True)
    assert operation.request.prompt == "Be nice.\n\na fox\n\nYes.\n\nmake it winter"
    assert operation.request.unused_fields == ()


def test_pictures_come_as_data_urls_addresses_and_uploads(gateway: Gateway) -> None:
    gateway.elsewhere["https://example.com/a.png"] = picture(32, 24)
    upload = gateway.call("POST", "/v1/uploads", {"content_type": "image/png"}).json()
    gateway.images.put(upload["fields"]["key"], picture(16, 8), "image/png")
    parts = [
        {"type": "input_image", "image_url": DATA_URL, "detail": "auto"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_image", "file_id": upload["id"]},
    ]
    whole = picture(blank=True)
    mask = {**TOOL, "input_image_mask": {"image_url": f"data:image/png;base64,{base64.b64encode(whole).decode()}"}}
    operation = started(gateway, [FOX, {"role": "user", "content": parts}], tools=[mask])
    assert inputs(gateway, operation) == [picture(), picture(32, 24), picture(16, 8)]
    assert operation.request.mask
    assert gateway.images.objects[operation.request.mask.key] == whole


def test_the_previous_response_is_edited(gateway: Gateway) -> None:
    made = made_before(gateway)
    operation = started(gateway, "make it winter", previous_response_id=made["id"])
    assert (operation.model, inputs(gateway, operation)) == ("able", [picture()])
    shown = gateway.call("GET", f"{RESPONSES}/resp_{operation.id}").json()
    assert shown["previous_response_id"] == made["id"]


@pytest.mark.parametrize("kept", ["result", "id", "reference"])
def test_so_is_the_last_call_of_the_conversation(gateway: Gateway, kept: str) -> None:
    call = made_before(gateway)["output"][0]
    item = {
        "result": {"type": "image_generation_call", "id": "ig_of_elsewhere", "result": call["result"]},
        "id": {"type": "image_generation_call", "id": call["id"]},
        "reference": {"type": "item_reference", "id": call["id"]},
    }[kept]
    operation = started(gateway, [FOX, item, WINTER], model="gpt-5.5")
    assert (operation.model, inputs(gateway, operation)) == ("able", [picture()])
    assert operation.request.unused_fields == ("model",)
    generated = started(gateway, [FOX, item, WINTER], tools=[{**TOOL, "action": "generate"}])
    assert (generated.model, generated.request.inputs) == ("flux", ())
    without = started(gateway, [FOX, item, WINTER], model="flux")
    assert (without.request.inputs, without.request.unused_fields) == ((), ("input",))


def test_an_earlier_picture_is_left_out_where_no_model_is_available_to_edit_it() -> None:
    known = two_models()
    able = known.find("able")
    assert able
    gateway = Gateway(routes=known.knowing(lambda target: ("A_KEY",) if target in able.targets else ()))
    call = made_before(gateway)["output"][0]
    operation = started(gateway, [FOX, call, WINTER], model="gpt-5.5")
    assert (operation.model, operation.request.inputs) == ("flux", ())


@pytest.mark.parametrize("store", [True, False])
def test_what_is_not_stored_cannot_be_found_once_it_has_ended(store: bool) -> None:
    gateway = Gateway(routes=able_routes())
    made = made_before(gateway, store=store)
    assert made["store"] is store
    assert gateway.call("GET", f"{RESPONSES}/{made['id']}").status == (200 if store else 404)
    assert post(gateway, "x", previous_response_id=made["id"]).status == (202 if store else 400)
    operation = gateway.store.get(made["operation_id"])
    assert operation
    assert operation.request.prompt == ("a fox" if store else "")


def test_identical_requests_are_coalesced_and_others_not(gateway: Gateway) -> None:
    first = started(gateway, "a fox")
    gateway.clock.sleep(5)
    assert started(gateway, "a fox").id == first.id
    assert started(gateway, "a fox", instructions="x").id != first.id


def test_a_retry_of_a_background_response_finds_it(gateway: Gateway) -> None:
    body = {"input": "a fox", "model": "flux", "background": True}
    first = gateway.call("POST", RESPONSES, body).json()
    again = gateway.call("POST", RESPONSES, body, x_stainless_retry_count="1").json()
    assert again["id"] == first["id"]


def call_of(identity: str) -> dict[str, str]:
    return {"type": "image_generation_call", "id": identity}


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"tools": [], "model": "gpt-5.5"}, 404, "model"),
    ({"tools": [{**TOOL, "model": "none"}]}, 404, "model"),
    ({"tools": [TOOL, {"type": "function", "name": "f"}]}, 400, "tools[1]"),
    ({"tools": [{"type": "web_search"}]}, 400, "tools[0]"),
    ({"tools": [TOOL, TOOL]}, 400, "tools"),
    ({"tool_choice": "none"}, 400, "tool_choice"),
    ({"tool_choice": "perhaps"}, 400, "tool_choice"),
    ({"tool_choice": {"type": "function", "name": "f"}}, 400, "tool_choice"),
    ({"text": {"format": {"type": "json_schema"}}}, 400, "text.format"),
    ({"conversation": "conv_1"}, 400, "conversation"),
    ({"prompt": {"id": "pmpt_1"}}, 400, "prompt"),
    ({"background": True, "store": False}, 400, "store"),
    ({"tools": [{**TOOL, "action": "edit"}]}, 400, "tools"),
    ({"tools": [{**TOOL, "action": "paint"}]}, 400, "tools.action"),
    ({"tools": [{**TOOL, "model": 5}]}, 400, "tools.model"),
    ({"tools": [{**TOOL, "model": "m" * 201}]}, 400, "tools.model"),
    ({"tools": [{**TOOL, "input_image_mask": DATA_URL}]}, 400, "tools.input_image_mask"),
    ({"tool_choice": {"type": "allowed_tools", "tools": 5}, "model": "gpt-5.5"}, 400, "tools"),
    ({"background": True, "stream": True}, 400, "stream"),
    ({"tools": [{**TOOL, "quality": "best"}]}, 400, "quality"),
    ({"tools": [{**TOOL, "input_image_mask": {}}]}, 400, "tools.input_image_mask"),
    ({"input": None}, 400, "input"),
    ({"input": " "}, 400, "input"),
    ({"input": []}, 400, "input"),
    ({"input": 5}, 400, "input"),
    ({"input": [{"type": "function_call_output", "call_id": "1", "output": "x"}]}, 400, "input[0]"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]}, 400, "input[0].content[0]"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-x"}]}]}, 400,
     "input[0].content[0]"),
    ({"input": [FOX, {"role": "assistant", "content": "x"}]}, 400, "input"),
    ({"input": [call_of(f"ig_{'0' * 20}_0"), FOX], "model": "able"}, 400, "input[0].id"),
    ({"input": [SENT], "model": "flux"}, 400, "input"),
    ({"previous_response_id": "resp_x"}, 404, "previous_response_id"),
    ({"previous_response_id": f"resp_{'0' * 20}"}, 404, "previous_response_id"),
    ({"metadata": {"a": 5}}, 400, "metadata.a"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "param"), REFUSED, ids=str)
def test_what_is_refused_names_its_field(gateway: Gateway, fields: dict[str, Any], status: int, param: str) -> None:
    answer = gateway.call("POST", RESPONSES, {"input": "a fox", "tools": [TOOL], **fields})
    assert (answer.status, answer.json()["error"]["param"]) == (status, param), answer.text
    assert gateway.store.documents == {}
    assert gateway.images.objects == {}


def test_a_language_model_alone_is_told_what_this_gateway_does(gateway: Gateway) -> None:
    message = gateway.call("POST", RESPONSES, {"input": "Hello", "model": "gpt-5.5"}).json()["error"]["message"]
    assert "this gateway makes pictures" in message
    assert "image_generation" in message


def test_other_tools_are_nothing_where_the_image_tool_is_chosen(gateway: Gateway) -> None:
    others = [TOOL, {"type": "web_search"}]
    assert post(gateway, "a fox", tools=others, tool_choice=TOOL).status == 202
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [TOOL]}
    assert post(gateway, "a fox", tools=others, tool_choice=allowed).status == 202


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_nothing_continues_what_has_no_picture(gateway: Gateway, state: str) -> None:
    made = gateway.call("POST", RESPONSES, {"input": "a fox", "model": "flux", "background": True}).json()
    if state == "failed":
        gateway.call("POST", f"{RESPONSES}/{made['id']}/cancel")
    answer = post(gateway, "x", previous_response_id=made["id"])
    assert (answer.status, answer.json()["error"]["param"]) == (400, "previous_response_id")


def test_the_response_of_another_owner_is_none() -> None:
    gateway = Gateway(access="keys", routes=able_routes())
    keys = [gateway.key()[1] for _ in range(2)]
    made = gateway.call("POST", RESPONSES, {"input": "x", "model": "flux", "background": True}, x_api_key=keys[0])
    body = {"input": "x", "model": "flux", "previous_response_id": made.json()["id"]}
    absent = {**body, "previous_response_id": f"resp_{'0' * 20}"}
    foreign = gateway.call("POST", RESPONSES, body, x_api_key=keys[1])
    never = gateway.call("POST", RESPONSES, absent, x_api_key=keys[1])
    assert foreign.status == 404
    assert foreign.text.replace(made.json()["operation_id"], "0" * 20) == never.text


def test_the_operation_of_another_api_is_no_response(gateway: Gateway) -> None:
    made = gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": "x"}).json()
    assert gateway.call("GET", f"{RESPONSES}/resp_{made['id']}").status == 404
    assert gateway.call("GET", f"{RESPONSES}/{made['id']}").status == 404


def test_the_pictures_of_a_response_are_gone_after_their_retention(gateway: Gateway) -> None:
    made = made_before(gateway)
    gateway.clock.sleep(8 * 86_400)
    assert gateway.call("GET", f"{RESPONSES}/{made['id']}").status == 410
