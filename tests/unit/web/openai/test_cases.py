"""OpenAI's and g4f's requests, one row each: what is answered
(docs/protocols/openai-images.md, docs/protocols/gradio-spaces.md#g4f-requests)."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.providers import registry
from support.fakes import picture
from support.gateway import Gateway
from support.picture_requests import accepted, post

FLUX = Limits(
    completion=CompletionMode.STREAM,
    grid=Grid(256, 2048, 32),
    prompt_characters=4000,
    capabilities=frozenset({"seed", "steps"}),
    steps_maximum=50,
)
GPT = Limits(
    completion=CompletionMode.SYNC,
    grid=Grid(16, 3840, 16),
    prompt_characters=32_000,
    images_per_call=4,
    input_images=16,
    supports_masks=True,
    capabilities=frozenset({"quality", "background", "moderation"}),
)
ROUTES = Routes(
    [
        Route(
            model="flux",
            targets=(Target(provider="space", model="flux-1-schnell", limits=FLUX),),
            aliases=("flux-schnell", "dall-e-*", "gpt-image-*"),
        ),
        Route(
            model="gpt-image-2",
            targets=(Target(provider="openai", model="gpt-image-2", limits=GPT),),
            aliases=("gpt-image-*",),
        ),
        Route(model="alice-art", targets=(Target(provider="space", model="flux-1-schnell", limits=FLUX),)),
        Route(
            model="local",
            targets=(
                Target(provider="local", model="local", limits=replace(GPT, input_images=0, supports_variations=True)),
            ),
        ),
    ]
)
ASYNC = {"prefer": "respond-async"}
DATA_URL = "data:image/png;base64," + base64.b64encode(picture()).decode()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(routes=ROUTES)


TAKEN: list[tuple[dict[str, Any], str, Any]] = [
    # fields beside the prompt, an attribute of the domain's request, and its expected value
    ({}, "model", "flux"),
    ({"model": None}, "model", "flux"),
    ({"model": "flux"}, "n", 1),
    ({"model": "flux-schnell"}, "size", None),
    ({"n": None}, "n", 1),
    ({"n": 1}, "n", 1),
    ({"n": 10}, "n", 10),
    ({"size": None}, "size", None),
    ({"size": "auto"}, "size", None),
    ({"size": ""}, "size", None),
    ({"size": "1024x1024"}, "size.width", 1024),
    ({"size": "1536x1024"}, "size.width", 1536),
    ({"size": "1024x1536"}, "size.height", 1536),
    ({"size": "256x256"}, "size.width", 256),
    ({"size": "512x512"}, "size.height", 512),
    ({"size": "1792x1024"}, "size.width", 1792),
    ({"size": "1024x1792"}, "size.height", 1792),
    ({"size": "768x768"}, "size.width", 768),
    ({"size": "513x770"}, "size.height", 770),
    ({"width": 640, "height": 480}, "size.width", 640),
    ({"width": 640, "height": 480, "size": "64x64"}, "size.height", 480),
    ({"width": None, "height": None}, "size", None),
    ({"aspect_ratio": "16:9"}, "ratio", (16, 9)),
    ({"aspect_ratio": "9:16"}, "ratio", (9, 16)),
    ({"aspect_ratio": None}, "ratio", None),
    ({"aspect_ratio": "auto"}, "ratio", None),
    ({"seed": 0}, "seed", 0),
    ({"seed": 2147483647}, "seed", 2147483647),
    ({"seed": -1}, "seed", None),
    ({"seed": None}, "seed", None),
    ({"num_inference_steps": 4}, "steps", 4),
    ({"num_inference_steps": 50}, "steps", 50),
    ({"num_inference_steps": None}, "steps", None),
    ({"negative_prompt": None}, "negative_prompt", None),
    ({"negative_prompt": ""}, "negative_prompt", None),
    ({"guidance_scale": None}, "guidance", None),
    ({"output_format": "png"}, "output_format", "png"),
    ({"output_format": "jpeg"}, "output_format", "jpeg"),
    ({"output_format": "webp"}, "output_format", "webp"),
    ({"output_format": None}, "output_format", None),
    ({"output_format": "jpeg", "output_compression": 50}, "output_compression", 50),
    ({"output_format": "webp", "output_compression": 0}, "output_compression", 0),
    ({"output_compression": None}, "output_compression", None),
    ({"output_compression": 100}, "output_compression", 100),
    ({"output_format": "png", "output_compression": 100}, "output_format", "png"),
    ({"quality": "standard"}, "quality", "standard"),
    ({"quality": "hd"}, "quality", "hd"),
    ({"quality": "auto"}, "quality", "auto"),
    ({"quality": "xhigh"}, "quality", "xhigh"),
    ({"quality": None}, "quality", None),
    ({"style": "vivid"}, "style", "vivid"),
    ({"style": "natural"}, "style", "natural"),
    ({"style": None}, "style", None),
    ({"background": "auto"}, "background", "auto"),
    ({"background": "opaque"}, "background", "opaque"),
    ({"background": None}, "background", None),
    ({"background": "transparent", "model": "gpt-image-2"}, "background", "transparent"),
    ({"moderation": "low"}, "moderation", "low"),
    ({"moderation": "auto"}, "moderation", "auto"),
    ({"provider": "space"}, "provider", "space"),
    ({"provider": None}, "provider", None),
    ({"stream": False}, "n", 1),
    ({"stream": None}, "n", 1),
    ({"partial_images": 0}, "n", 1),
    ({"partial_images": 3}, "n", 1),
    ({"user": "u-1"}, "n", 1),
    ({"user": None}, "n", 1),
    ({"safety_identifier": "s-1"}, "n", 1),
    ({"response_format": None}, "n", 1),
    ({"response_format": "url"}, "n", 1),
    ({"response_format": "b64_json"}, "n", 1),
    # accepted without effect: g4f's own, and those of newer OpenAI clients
    ({"api_key": "upstream-key", "proxy": "http://p.invalid"}, "provider", None),
    ({"download_media": True, "resolution": "1K", "audio": None}, "n", 1),
    ({"frame_count": 9, "svg": None, "extra_body": {"a": 1}}, "n", 1),
    ({"complexity": "low"}, "complexity", "low"),
    ({"complexity": None}, "complexity", None),
    ({"prompt": "кот 🐈 \t\r\n \u200f"}, "prompt", "кот 🐈 \t\r\n \u200f"),
    ({"prompt": "x" * 4000}, "n", 1),
    ({"prompt": "x" * 4001, "model": "gpt-image-2"}, "n", 1),
]


@pytest.mark.parametrize(("fields", "path", "expected"), TAKEN, ids=lambda value: str(value)[:40])
def test_what_is_taken(gateway: Gateway, fields: dict[str, Any], path: str, expected: Any) -> None:
    found: Any = accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request
    for name in path.split("."):
        found = getattr(found, name)
    assert found == expected


@pytest.mark.parametrize(
    ("model", "route"),
    [
        ("flux", "flux"),
        ("dall-e-2", "flux"),
        ("dall-e-3", "flux"),
        ("gpt-image-1", "flux"),
        ("gpt-image-1-mini", "flux"),
        ("gpt-image-2", "gpt-image-2"),
    ],
)
def test_hard_coded_names_lead_to_a_model_that_the_answer_names(gateway: Gateway, model: str, route: str) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "x", "model": model})).model == route


@pytest.mark.parametrize("name", ["art://b1g/alice-art", "art://b1g/alice-art/latest"])
def test_clients_of_yandexs_images_api_need_not_change_the_model(gateway: Gateway, name: str) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "x", "model": name, "size": "16x9"}))
    assert (operation.model, operation.reply["response_format"]) == ("alice-art", "b64_json")
    assert (operation.request.size, operation.request.ratio) == (None, (16, 9))
    sent = accepted(gateway, post(gateway, {"prompt": "x", "model": name, "response_format": "url"}))
    assert sent.reply["response_format"] == "url"


@pytest.mark.parametrize("name", ["art://b1g/nope/latest", "xart://b1g/nothing"])
def test_other_names_of_yandexs_lead_nowhere(gateway: Gateway, name: str) -> None:
    answer = post(gateway, {"prompt": "x", "model": name})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")


REFUSED: list[tuple[Any, int, str, str | None]] = [
    (b"", 400, "invalid_request", None),
    (b"{", 400, "invalid_request", None),
    (b"null", 400, "invalid_request", None),
    (b'"prompt"', 400, "invalid_request", None),
    (b'{"prompt": "x", "n": NaN}', 400, "invalid_request", None),
    (b'{"prompt": "\xff"}', 400, "invalid_request", None),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "invalid_request", None),
    ({}, 400, "invalid_request", "prompt"),
    ({"prompt": None}, 400, "invalid_request", "prompt"),
    ({"prompt": ""}, 400, "invalid_request", "prompt"),
    ({"prompt": " \n\t\u2003"}, 400, "invalid_request", "prompt"),
    ({"prompt": ["a"]}, 400, "invalid_request", "prompt"),
    ({"prompt": 5}, 400, "invalid_request", "prompt"),
    ({"prompt": "x" * 32_001, "model": "gpt-image-2"}, 400, "invalid_request", "prompt"),
    ({"prompt": "x" * 4001}, 400, "invalid_request", "prompt"),
    ({"model": "nope"}, 404, "model_not_found", "model"),
    ({"model": ""}, 202, "", None),
    ({"model": 7}, 400, "invalid_request", "model"),
    ({"n": 0}, 400, "invalid_request", "n"),
    ({"n": 11}, 400, "invalid_request", "n"),
    ({"n": -1}, 400, "invalid_request", "n"),
    ({"n": 1.5}, 400, "invalid_request", "n"),
    ({"n": "abc"}, 400, "invalid_request", "n"),
    ({"size": "big"}, 400, "invalid_request", "size"),
    ({"size": "1024x"}, 400, "invalid_request", "size"),
    ({"size": "-1x5"}, 400, "invalid_request", "size"),
    ({"size": "100000x100000"}, 400, "invalid_request", "size"),
    ({"size": True}, 400, "invalid_request", "size"),
    ({"width": "abc", "height": 5}, 400, "invalid_request", "width"),
    ({"width": 0, "height": 64}, 400, "invalid_request", "width"),
    ({"width": 64}, 400, "invalid_request", "height"),
    ({"height": 64}, 400, "invalid_request", "width"),
    ({"aspect_ratio": "wide"}, 400, "invalid_request", "aspect_ratio"),
    ({"aspect_ratio": "0:1"}, 400, "invalid_request", "aspect_ratio"),
    ({"response_format": "orginal"}, 400, "invalid_request", "response_format"),
    ({"output_format": "gif"}, 400, "invalid_request", "output_format"),
    ({"output_format": "svg"}, 400, "invalid_request", "output_format"),
    ({"output_compression": 50}, 400, "invalid_request", "output_compression"),
    ({"output_compression": 99, "output_format": "png"}, 400, "invalid_request", "output_compression"),
    ({"output_compression": 101, "output_format": "jpeg"}, 400, "invalid_request", "output_compression"),
    ({"seed": -2}, 400, "invalid_request", "seed"),
    ({"seed": 2**63}, 400, "invalid_request", "seed"),
    ({"seed": "x"}, 400, "invalid_request", "seed"),
    ({"num_inference_steps": 0}, 400, "invalid_request", "num_inference_steps"),
    ({"num_inference_steps": 51}, 400, "invalid_request", "num_inference_steps"),
    ({"guidance_scale": 3.5}, 400, "invalid_request", "guidance_scale"),
    ({"guidance_scale": -1}, 400, "invalid_request", "guidance_scale"),
    ({"negative_prompt": "dogs"}, 400, "invalid_request", "negative_prompt"),
    ({"negative_prompt": 5}, 400, "invalid_request", "negative_prompt"),
    ({"background": "transparent", "provider": "space"}, 400, "invalid_request", "background"),
    ({"background": "transparent", "output_format": "jpeg"}, 400, "invalid_request", "background"),
    ({"background": "green"}, 400, "invalid_request", "background"),
    ({"quality": "best"}, 400, "invalid_request", "quality"),
    ({"style": "sad"}, 400, "invalid_request", "style"),
    ({"moderation": "off"}, 400, "invalid_request", "moderation"),
    ({"provider": "unknown"}, 404, "provider_not_found", "provider"),
    ({"stream": "maybe"}, 400, "invalid_request", "stream"),
    ({"partial_images": 4}, 400, "invalid_request", "partial_images"),
    ({"complexity": "none"}, 400, "invalid_request", "complexity"),
    ({"user": "u" * 513}, 400, "invalid_request", "user"),
    ({"deadline": 0}, 400, "invalid_request", "deadline"),
    ({"deadline": 90_000}, 400, "invalid_request", "deadline"),
    ({"seed": 1, "model": "gpt-image-2"}, 400, "invalid_request", "seed"),
]


@pytest.mark.parametrize(("body", "status", "code", "param"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_refused(gateway: Gateway, body: Any, status: int, code: str, param: str | None) -> None:
    answer = post(gateway, {"prompt": "a cat", **body} if isinstance(body, dict) and body else body)
    assert answer.status == status, answer.text
    if status == 202:
        return
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert not gateway.store.documents


def test_a_refusal_calls_a_field_what_the_caller_called_it(gateway: Gateway) -> None:
    message = [
        post(gateway, {"prompt": "x", name: value}).json()["error"]["message"]
        for name, value in (("guidance_scale", 3.5), ("num_inference_steps", 51))
    ]
    assert message[0].startswith("No provider of the model 'flux' can honour 'guidance_scale' as it is.")
    assert message[1].startswith("No provider of the model 'flux' can honour 'num_inference_steps' as it is.")


def test_an_unknown_model_lists_the_known_ones(gateway: Gateway) -> None:
    message = post(gateway, {"prompt": "x", "model": "nope"}).json()["error"]["message"]
    assert "flux" in message
    assert "gpt-image-2" in message


def form(**fields: bytes) -> tuple[bytes, str]:
    """A multipart body; a name with `file` in its value's place is a file."""
    parts = b""
    for name, value in fields.items():
        field = name.rstrip("0123456789")
        file = b'; filename="a.png"\r\nContent-Type: image/png' if field in ("image", "mask", "image[]") else b""
        parts += b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (field.encode(), file, value)
    return parts + b"--B--\r\n", "multipart/form-data; boundary=B"


def test_an_edit_by_form(gateway: Gateway) -> None:
    body, content_type = form(prompt=b"winter", model=b"gpt-image-2", n=b"2", image=picture(), mask=picture(blank=True))
    operation = accepted(gateway, post(gateway, body, "/v1/images/edits", content_type=content_type))
    assert (operation.request.prompt, operation.request.n, operation.model) == ("winter", 2, "gpt-image-2")
    assert [gateway.images.objects[image.key] for image in operation.request.inputs] == [picture()]
    assert operation.request.mask
    assert gateway.images.objects[operation.request.mask.key] == picture(blank=True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("edits", {"prompt": b"winter", "model": b"gpt-image-2"}),
        ("variations", {"model": b"local"}),
    ],
)
def test_pictures_from_a_picture_are_made_once_for_a_key(gateway: Gateway, path: str, fields: dict[str, bytes]) -> None:
    body, content_type = form(image=picture(), **fields)
    sent = {"content_type": content_type, "idempotency_key": "k1"}
    first, again = (accepted(gateway, post(gateway, body, f"/v1/images/{path}", **sent)) for _ in range(2))
    assert first.id == again.id
    other, _ = form(image=picture(8, 8), **fields)
    assert post(gateway, other, f"/v1/images/{path}", **sent).status == 422


@pytest.mark.parametrize(
    ("path", "fields", "model"), [("edits", {"prompt": b"x"}, "gpt-image-2"), ("variations", {}, "local")]
)
def test_without_a_model_pictures_go_to_the_first_that_works_from_them(
    gateway: Gateway, path: str, fields: dict[str, bytes], model: str
) -> None:
    body, content_type = form(image=picture(), **fields)
    assert accepted(gateway, post(gateway, body, f"/v1/images/{path}", content_type=content_type)).model == model


def test_without_a_model_that_works_from_pictures_the_caller_is_told_so() -> None:
    gateway = Gateway()
    body, content_type = form(image=picture(), prompt=b"x")
    answer = post(gateway, body, "/v1/images/edits", content_type=content_type)
    assert (answer.status, "No model here does." in answer.json()["error"]["message"]) == (400, True)


def test_a_picture_that_is_sent_again_for_another_picture_is_kept_for_it(gateway: Gateway) -> None:
    """A shared one would be removed while the second still waits, because the bucket counts from the upload."""
    for prompt in (b"winter", b"summer"):
        body, content_type = form(prompt=prompt, model=b"gpt-image-2", image=picture(), mask=picture(blank=True))
        post(gateway, body, "/v1/images/edits", content_type=content_type)
    assert len(gateway.images.objects) == 4


def test_an_edit_by_json_under_a_hard_coded_name_goes_where_pictures_can_be_edited(gateway: Gateway) -> None:
    body = {"prompt": "winter", "model": "gpt-image-1", "images": [{"image_url": DATA_URL}] * 2}
    operation = accepted(gateway, post(gateway, {**body, "input_fidelity": "high"}, "/v1/images/edits"))
    assert operation.request.input_fidelity == "high"
    assert operation.model == "gpt-image-2"
    assert len(operation.request.inputs) == 2


def test_a_variation_has_no_prompt(gateway: Gateway) -> None:
    body, content_type = form(model=b"local", image=picture())
    operation = accepted(gateway, post(gateway, body, "/v1/images/variations", content_type=content_type))
    assert operation.request.prompt == ""


@pytest.mark.parametrize("model", [b"gpt-image-2", b"flux", b"dall-e-2"])
def test_who_cannot_vary_is_not_asked_and_the_caller_is_told_who_can(gateway: Gateway, model: bytes) -> None:
    body, content_type = form(model=model, image=picture())
    answer = post(gateway, body, "/v1/images/variations", content_type=content_type)
    error = answer.json()["error"]
    assert (answer.status, error["param"]) == (400, "image")
    assert error["message"].endswith("without a prompt from a picture. Use one of: local.")
    assert not gateway.store.documents
    assert not gateway.images.objects


def test_no_real_provider_varies_so_that_the_caller_is_told_to_edit() -> None:
    gateway = Gateway(routes=registry.routes())
    body, content_type = form(model=b"gpt-image-2", image=picture())
    message = post(gateway, body, "/v1/images/variations", content_type=content_type).json()["error"]["message"]
    assert "Say in a prompt what to do to it (POST /v1/images/edits), with one of: " in message
    assert "gpt-image-2" in message
    assert not gateway.workflow.runs


BAD_EDITS: list[tuple[Any, str | None]] = [
    ({"prompt": "x", "images": [{"image_url": DATA_URL}], "model": "flux"}, "images"),
    ({"prompt": "x"}, "images"),
    ({"prompt": "x", "images": []}, "images"),
    ({"prompt": "x", "images": "a"}, "images"),
    ({"prompt": "x", "images": ["a"]}, "images.0"),
    ({"prompt": "x", "images": [{"file_id": "f"}]}, "images.0"),
    ({"prompt": "x", "images": [{"image_url": "data:image/png;base64,@@@"}]}, "images.0"),
    ({"prompt": "x", "images": [{"image_url": "data:image/png;base64,AAAA"}]}, "images"),
    ({"images": [{"image_url": DATA_URL}], "model": "gpt-image-2"}, "prompt"),
    ({"images": [{"image_url": DATA_URL}], "model": "gpt-image-2", "prompt": " "}, "prompt"),
    ({"prompt": "x", "images": [{"image_url": DATA_URL}], "input_fidelity": "medium"}, "input_fidelity"),
    ({"prompt": "x", "model": "gpt-image-2", "images": [{"image_url": DATA_URL}] * 17}, "images"),
    (b"{", None),
]


@pytest.mark.parametrize(("body", "param"), BAD_EDITS, ids=lambda value: str(value)[:40])
def test_edits_that_are_refused(gateway: Gateway, body: Any, param: str | None) -> None:
    answer = post(gateway, body, "/v1/images/edits")
    assert (answer.status, answer.json()["error"]["param"]) == (400, param), answer.text
    assert not gateway.store.documents
    assert not gateway.images.objects


def test_who_cannot_edit_says_who_can(gateway: Gateway) -> None:
    body = {"prompt": "x", "model": "flux", "images": [{"image_url": DATA_URL}]}
    assert "gpt-image-2" in post(gateway, body, "/v1/images/edits").json()["error"]["message"]


def test_a_drawing_that_says_what_to_do_is_not_passed_over(gateway: Gateway) -> None:
    body, content_type = form(prompt=b"winter", model=b"gpt-image-2", image=picture())
    markup = b'--B\r\nContent-Disposition: form-data; name="markup"; filename="m.png"\r\n\r\nx\r\n'
    answer = post(gateway, markup + body, "/v1/images/edits", content_type=content_type)
    assert (answer.status, answer.json()["error"]["param"]) == (400, "markup")
    assert not gateway.store.documents


@pytest.mark.parametrize("name", ["prompt", "model", "mask", "anything"])
def test_a_field_of_a_form_comes_once(gateway: Gateway, name: str) -> None:
    fields = {"prompt": b"winter", "model": b"gpt-image-2", "image": picture(), "mask": picture(), "anything": b"x"}
    body, content_type = form(**fields, **{f"{name}2": fields[name]})
    answer = post(gateway, body, "/v1/images/edits", content_type=content_type)
    assert (answer.status, answer.json()["error"]["param"]) == (400, name)
    assert not gateway.images.objects


def test_pictures_of_a_form_may_be_several(gateway: Gateway) -> None:
    body, content_type = form(
        prompt=b"x", model=b"gpt-image-2", image=picture(), image2=picture(8, 8), **{"image[]": picture(16, 16)}
    )
    operation = accepted(gateway, post(gateway, body, "/v1/images/edits", content_type=content_type))
    assert len(operation.request.inputs) == 3


def test_a_form_that_is_none(gateway: Gateway) -> None:
    answer = post(gateway, b"--B\r\nnonsense", "/v1/images/edits", content_type="multipart/form-data; boundary=B")
    assert answer.status == 400
    no_boundary = post(gateway, b"x", "/v1/images/edits", content_type="multipart/form-data")
    assert no_boundary.status == 400


def test_a_form_is_known_by_its_type_in_any_case(gateway: Gateway) -> None:
    body, _ = form(prompt=b"x", model=b"gpt-image-2", image=picture())
    answer = post(gateway, body, "/v1/images/edits", content_type="Multipart/Form-Data; boundary=B")
    assert accepted(gateway, answer).request.inputs


@pytest.mark.parametrize("name", ["image", "image[]", "mask"])
def test_a_picture_that_came_as_text_is_not_passed_over(gateway: Gateway, name: str) -> None:
    body, content_type = form(prompt=b"x", model=b"gpt-image-2", image=picture())
    text = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\na.png\r\n' % name.encode()
    answer = post(gateway, text + body, "/v1/images/edits", content_type=content_type)
    error = answer.json()["error"]
    assert (answer.status, error["param"]) == (400, name)
    assert error["message"].startswith(f"'{name}' must be a picture.")
    assert not gateway.store.documents


def test_an_empty_mask_is_no_mask_at_all_and_refused(gateway: Gateway) -> None:
    body, content_type = form(prompt=b"x", model=b"gpt-image-2", image=picture(), mask=b"")
    answer = post(gateway, body, "/v1/images/edits", content_type=content_type)
    assert (answer.status, answer.json()["error"]["param"]) == (400, "mask")


def test_a_mask_of_another_size_than_its_picture_is_refused_in_a_form(gateway: Gateway) -> None:
    body, content_type = form(prompt=b"x", model=b"gpt-image-2", image=picture(), mask=picture(48, 64))
    error = post(gateway, body, "/v1/images/edits", content_type=content_type).json()["error"]
    assert (error["param"], error["type"]) == ("mask", "invalid_request_error")
    sizes, remedy = "The mask has 48x64 pixels, and the picture 64x48.", "Send a mask of the first picture's size."
    assert error["message"] == f"{sizes} {remedy}"
    assert not gateway.store.documents
    assert not gateway.images.objects


def test_there_are_enough_rows() -> None:
    assert len(TAKEN) + len(REFUSED) + len(BAD_EDITS) > 120
