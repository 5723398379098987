"""What becomes of a chat: the prompt, the input pictures, the options, and what is refused."""

import base64
import json
from typing import Any

import pytest

from imagegate.dialects.openai.bodies import EditsBody
from imagegate.dialects.openai_chat.requests import parse
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.geometry import Size
from support.ended import end_at_once
from support.fakes import picture
from support.fuzz_server import able_routes, two_models
from support.gateway import Answered, Gateway

CHAT = "/v1/chat/completions"
DATA_URL = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
FOX = {"role": "user", "content": "a fox"}
WINTER = {"role": "user", "content": "make it winter"}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(routes=able_routes())


def post(gateway: Gateway, *messages: Any, **fields: Any) -> Answered:
    return gateway.call("POST", CHAT, {"model": "flux", "messages": messages, **fields}, prefer="respond-async")


def started(gateway: Gateway, *messages: Any, **fields: Any) -> Operation:
    answer = post(gateway, *messages, **fields)
    assert answer.status == 202, answer.text
    operation = gateway.store.get(answer.json()["id"])
    assert operation
    return operation


def test_the_last_turn_of_the_user_is_the_prompt(gateway: Gateway) -> None:
    instructed = {"role": "system", "content": "Be nice."}
    answer = {"role": "assistant", "content": "Here it is."}
    parts = {"role": "user", "content": [{"type": "text", "text": "a dog"}, {"type": "text", "text": "with a hat"}]}
    operation = started(gateway, instructed, FOX, answer, parts, WINTER)
    assert operation.request.prompt == "a dog\n\nwith a hat\n\nmake it winter"
    assert operation.request.unused_fields == ("messages",)
    assert started(gateway, FOX).request.unused_fields == ()


def test_a_language_model_that_expands_gets_the_conversation(gateway: Gateway) -> None:
    operation = started(gateway, {"role": "system", "content": "Be nice."}, FOX, expand=True)
    assert (operation.request.prompt, operation.request.expand) == ("Be nice.\n\na fox", True)
    assert operation.request.unused_fields == ()


def test_the_users_picture_is_worked_from(gateway: Gateway) -> None:
    content = [{"type": "text", "text": "a hat"}, {"type": "image_url", "image_url": {"url": DATA_URL}}]
    operation = started(gateway, {"role": "user", "content": content})
    assert [gateway.images.objects[each.key] for each in operation.request.inputs] == [picture()]


def test_so_is_the_last_picture_of_the_chat(gateway: Gateway) -> None:
    end_at_once(gateway)
    made = gateway.call("POST", CHAT, {"model": "flux", "messages": [FOX]}).json()["choices"][0]["message"]
    as_link = {"role": "assistant", "content": made["content"]}
    as_data = {"role": "assistant", "content": None, "images": made["images"]}
    for answer in (as_link, as_data):
        request = started(gateway, FOX, answer, WINTER).request
        assert [gateway.images.objects[each.key] for each in request.inputs] == [picture()]
        assert request.unused_fields == ()


def test_a_model_that_works_from_no_picture_makes_a_new_one() -> None:
    answer = {"role": "assistant", "content": None, "images": [{"type": "image_url", "image_url": {"url": DATA_URL}}]}
    request = started(Gateway(), FOX, answer, WINTER).request
    assert (request.inputs, request.unused_fields) == ((), ("messages",))


def test_one_conversation_for_two_deployments_is_two_orders() -> None:
    """Azure's clients name the model in the path."""
    gateway = Gateway(routes=two_models())
    for model in ("flux", "able"):
        body = {"messages": [FOX]}
        assert gateway.call("POST", f"/openai/deployments/{model}/chat/completions", body).status == 303
        gateway.clock.sleep(5)
    assert len(gateway.store.documents) == 2


def test_the_picture_of_another_owner_is_none() -> None:
    gateway = Gateway(access="keys", routes=able_routes())
    end_at_once(gateway)
    keys = [gateway.key()[1] for _ in range(2)]
    body = {"model": "flux", "messages": [FOX]}
    made = gateway.call("POST", CHAT, body, x_api_key=keys[0]).json()["choices"][0]["message"]
    history = [FOX, {"role": "assistant", "content": made["content"]}, WINTER]
    answers = [gateway.call("POST", CHAT, {"model": "flux", "messages": history}, x_api_key=key).status for key in keys]
    assert answers == [200, 400]


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "1024x512", "seed": 7},
        {"extra_body": {"size": "1024x512", "seed": 7}},
    ],
    ids=str,
)
def test_options_stand_beside_the_messages(gateway: Gateway, fields: dict[str, Any]) -> None:
    request = started(gateway, FOX, **fields).request
    assert (request.size, request.seed, request.unused_fields) == (Size(1024, 512), 7, ())


EVERY_OPTION: dict[str, Any] = {
    "n": 1, "size": "1024x512", "width": 1024, "height": 512, "aspect_ratio": "2:1", "output_format": "webp",
    "output_compression": 80, "seed": 7, "negative_prompt": "snow", "num_inference_steps": 4, "guidance_scale": 3.5,
    "quality": "high", "style": "vivid", "background": "opaque", "moderation": "low", "complexity": "low",
    "frame_count": 2, "frame_duration_ms": 100, "svg": {"precision": "high"}, "prompt_rewriter": True,
    "provider": "alpha", "partial_images": 0, "user": "u", "safety_identifier": "s", "expand": False, "deadline": 60,
    "webhook": {"url": "https://hooks.example.com/x"}, "input_fidelity": "high",
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY_OPTION)
def test_every_option_of_the_images_api_stands_beside_the_messages(name: str) -> None:
    task = parse(json.dumps({"messages": [FOX], name: EVERY_OPTION[name]}).encode(), 10_000)
    assert (task.ignored(()), task.options.get(name)) == ([], EVERY_OPTION[name])


def test_no_option_of_the_images_api_is_missing_here() -> None:
    of_the_conversation = {"prompt", "model", "stream", "response_format"}
    assert set(EVERY_OPTION) == set(EditsBody.model_fields) - of_the_conversation


def test_openrouters_own_options_are_understood_or_reported(gateway: Gateway) -> None:
    fields = {"image_config": {"aspect_ratio": "16:9"}, "provider": {"order": ["x"]}, "top_p": 1}
    request = started(gateway, FOX, **fields).request
    assert request.ratio == (16, 9)
    assert request.unused_fields == ("provider", "top_p")
    sized = started(gateway, FOX, image_config={"aspect_ratio": "1:1", "image_size": "2K"}).request
    assert (sized.size, sized.unused_fields) == (Size(2048, 2048), ())


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"modalities": ["text"]}, 400, "modalities"),
    ({"modalities": ["image", "audio"]}, 400, "modalities"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "tools"),
    ({"response_format": {"type": "json_schema"}}, 400, "response_format"),
    ({"model": "gpt-5.5"}, 404, "model"),
    ({"messages": []}, 400, "messages"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "messages"),
    ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, 400, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 5}]}, 400, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, 400, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, 400,
     "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": " "}]}, 400, "messages"),
    ({"n": 11}, 400, "n"),
    ({"size": "very large"}, 400, "size"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "param"), REFUSED, ids=str)
def test_what_is_refused_names_its_field(gateway: Gateway, fields: dict[str, Any], status: int, param: str) -> None:
    answer = gateway.call("POST", CHAT, {"model": "flux", "messages": [FOX], **fields})
    assert (answer.status, answer.json()["error"]["param"]) == (status, param)
    assert gateway.store.documents == {}
    assert gateway.images.objects == {}


def test_a_part_is_refused_in_the_words_of_this_api(gateway: Gateway) -> None:
    error = post(gateway, {"role": "user", "content": [{"type": "input_audio"}]}).json()["error"]
    assert error["message"] == (
        "'messages[0].content[0]' must be of the type text or image_url, with its content. "
        "A picture is a data URL such as data:image/png;base64,…, or an https address."
    )


def test_tools_that_must_not_be_called_are_none(gateway: Gateway) -> None:
    assert post(gateway, FOX, tools=[{"type": "function"}], tool_choice="none").status == 202
