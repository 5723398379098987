"""Requests as real clients send them, by kind: what each is understood as, and what its answer says."""

import base64
import gzip
import io
import itertools
import json
import zlib
from dataclasses import replace
from typing import Any

import openai
import pytest
from PIL import Image

from imagegate import __version__
from imagegate.dialects.openai import responses as openai_responses
from imagegate.dialects.response import RenderedPicture
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.providers import registry
from support.fakes import failing, picture
from support.gateway import Answered, Gateway, event
from support.picture_requests import accepted, post
from support.sdk_transport import Transport
from support.world import URL, World, ready

GENERATIONS, OPERATIONS = "/v1/images/generations", "/v1/operations"
YANDEXART = "/foundationModels/v1/imageGenerationAsync"
EDITS, VARIATIONS = "/v1/images/edits", "/v1/images/variations"
PICTURE = picture()
BASE64 = base64.b64encode(PICTURE).decode()
DATA_URL = f"data:image/png;base64,{BASE64}"
LIMITS = Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
HTTPS = "https://pictures.example.com/cat.png"


@pytest.fixture
def gateway() -> Gateway:
    """With the routes of a deployment."""
    return Gateway(routes=registry.routes(), expands=False)


def error_of(answer: Answered) -> dict[str, Any]:
    assert answer.status >= 400, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"model": "gpt-image-1"}, "png"),
        ({"model": "dall-e-3"}, "png"),
        ({"model": "dall-e-2", "response_format": "url"}, "png"),
        ({"model": " GPT-Image-1 ", "response_format": "b64_json"}, "png"),
        ({"model": "openai/chatgpt-image-latest"}, "png"),
        ({"model": "gpt-image-2"}, "png"),
        ({"model": "gpt-image-1", "output_format": None}, "png"),
        ({"model": "gpt-image-1", "output_format": ""}, "png"),
        ({"model": "gpt-image-1", "output_format": "webp"}, "webp"),
        ({"model": "gpt-image-1", "output_format": "JPG"}, "jpeg"),
        ({"model": "gpt-image-1", "output_format": "image/jpeg"}, "jpeg"),
        ({"model": "flux"}, None),
        ({"model": "flux", "format": "png"}, "png"),
        ({}, None),
    ],
    ids=str,
)
def test_a1_openais_names_make_png(gateway: Gateway, fields: dict[str, Any], wanted: str | None) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request.output_format == wanted


REFERENCES: list[tuple[dict[str, Any], int]] = [
    ({"image": DATA_URL}, 1),
    ({"image": BASE64}, 1),
    ({"image": [DATA_URL, BASE64]}, 2),
    ({"image": {"url": DATA_URL}}, 1),
    ({"image": {"image_url": DATA_URL}}, 1),
    ({"image_url": DATA_URL}, 1),
    ({"image_url": HTTPS}, 1),
    ({"image_url": {"url": HTTPS}}, 1),
    ({"images": [DATA_URL]}, 1),
    ({"images": DATA_URL}, 1),
    ({"images": [HTTPS, {"image_url": HTTPS}]}, 2),
    ({"images": [{"type": "image_url", "image_url": {"url": DATA_URL}}]}, 1),
    ({"images": [{"b64_json": BASE64}]}, 1),
    ({"image_urls": [HTTPS]}, 1),
    ({"imageUrl": HTTPS}, 1),
    ({"image[]": [DATA_URL]}, 1),
    ({"input_image": DATA_URL}, 1),
    ({"init_image": BASE64}, 1),
    ({"reference_images": [DATA_URL, HTTPS]}, 2),
    ({"extra_body": {"image": DATA_URL}}, 1),
    ({"image": DATA_URL, "mask": DATA_URL}, 1),
]


@pytest.mark.parametrize("path", [GENERATIONS, EDITS])
@pytest.mark.parametrize(("fields", "count"), REFERENCES, ids=lambda value: str(value)[:60])
def test_a2_a10_a11_a_picture_to_work_from_never_vanishes(
    gateway: Gateway, path: str, fields: dict[str, Any], count: int
) -> None:
    gateway.elsewhere[HTTPS] = PICTURE
    operation = accepted(gateway, post(gateway, {"prompt": "a hat on it", "model": "gpt-image-1", **fields}, path))
    assert [gateway.images.objects[image.key] for image in operation.request.inputs] == [PICTURE] * count
    assert bool(operation.request.mask) == ("mask" in fields)
    assert (operation.model, operation.request.unused_fields) == ("gpt-image-2", ())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "flux", "image": DATA_URL}, "image"),
        ({"model": "flux", "image_url": DATA_URL}, "image_url"),
        ({"model": "flux", "images": [DATA_URL]}, "images"),
        ({"mask": DATA_URL}, "images"),
        ({"image": "a.png"}, "image"),
        ({"image": {"file_id": "file-1"}}, "image"),
        ({"image": 7}, "image"),
        ({"images": [DATA_URL, "data:image/png,raw"]}, "images.1"),
        ({"image": "data:image/png;base64,@@@"}, "image"),
        ({"image_url": "http://pictures.example.com/none.png"}, "image_url"),
        ({"image": DATA_URL, "mask": [DATA_URL, DATA_URL]}, "mask.1"),
        ({"control_image": DATA_URL}, "control_image"),
        ({"style_image_url": "https://pictures.example.com/a.png"}, "style_image_url"),
        ({"controls": [{"what": BASE64}]}, "controls"),
        ({"markup": DATA_URL, "image": DATA_URL}, "markup"),
        ({"images": [DATA_URL] * 17}, "images"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a2_a10_a_picture_that_nobody_can_work_from_is_refused(
    gateway: Gateway, fields: dict[str, Any], param: str
) -> None:
    answer = post(gateway, {"prompt": "a hat on it", "model": "gpt-image-2", **fields})
    assert (answer.status, error_of(answer)["param"]) == (400, param), answer.text
    assert gateway.images.objects == {}
    assert not gateway.store.documents


def test_a2_without_a_model_a_picture_goes_to_one_that_works_from_it(gateway: Gateway) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "a hat on it", "image": DATA_URL}))
    assert operation.request.inputs
    assert (
        accepted(gateway, post(gateway, {"prompt": "a hat", "image": "", "images": [], "mask": None})).model == "flux"
    )


def part(name: str, body: bytes, disposition: str = "", kind: str = "") -> bytes:
    """A part of a form; `disposition` follows the name."""
    content_type = f"Content-Type: {kind}\r\n" if kind else ""
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n{content_type}\r\n'
    return head.encode() + body + b"\r\n"


def post_form(gateway: Gateway, *parts: bytes, path: str = EDITS) -> Answered:
    body = b"".join((part("prompt", b"a hat on it"), part("model", b"gpt-image-2"), *parts)) + b"--B--\r\n"
    return post(gateway, body, path, content_type="multipart/form-data; boundary=B")


@pytest.mark.parametrize(
    ("name", "disposition", "kind"),
    [
        ("image", '; filename="a.png"', "image/png"),
        ("image", "; filename*=UTF-8''k%C3%B6nig.png", "image/png"),
        ("image", "; filename*=UTF-8''a.png", ""),
        ("image", "", "image/png"),
        ("image", "", "application/octet-stream"),
        ("image[]", "; filename*=UTF-8''a.png", ""),
        ("image[0]", '; filename="a.png"', "image/png"),
        ("images", '; filename="a.png"', "image/png"),
        ("init_image", '; filename="a.png"', "image/png"),
    ],
)
@pytest.mark.parametrize("path", [EDITS, GENERATIONS])
def test_a12_a_picture_in_a_form_is_one_however_it_is_named(
    gateway: Gateway, path: str, name: str, disposition: str, kind: str
) -> None:
    operation = accepted(gateway, post_form(gateway, part(name, PICTURE, disposition, kind), path=path))
    assert [gateway.images.objects[image.key] for image in operation.request.inputs] == [PICTURE]


@pytest.mark.parametrize("text", [DATA_URL, BASE64, HTTPS])
def test_a10_a_form_may_have_the_picture_as_text(gateway: Gateway, text: str) -> None:
    gateway.elsewhere[HTTPS] = PICTURE
    operation = accepted(gateway, post_form(gateway, part("image", text.encode()), part("image", text.encode())))
    assert len(operation.request.inputs) == 2


def test_a9_a_file_that_was_not_chosen_is_absent(gateway: Gateway) -> None:
    unchosen = part("mask", b"", '; filename=""', "application/octet-stream")
    blank = part("size", b"") + part("n", b" ") + part("mask", b"")
    for nothing in (unchosen, blank):
        operation = accepted(gateway, post_form(gateway, part("image", PICTURE, '; filename="a.png"'), nothing))
        assert operation.request.mask is None


def test_a13_a_body_with_too_large_pictures_is_told_the_limit_and_a_way_round(gateway: Gateway) -> None:
    error = error_of(post(gateway, {"prompt": "x", "image": "A" * (6 * 1024 * 1024)}, EDITS))
    assert error["code"] == "request_too_large"
    assert "at most 6291456 are accepted" in error["message"]
    assert "https addresses" in error["message"]


def test_a14_head_of_a_picture_says_its_type_and_length(gateway: Gateway) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "a cat"}))
    made = Picture(
        slot=0,
        key="images/k",
        sha256="s",
        content_type="image/webp",
        width=64,
        height=48,
        bytes=4321,
        provider="alpha",
    )
    running = operation.moved(State.RUNNING, 1.0).with_pictures((made,))
    gateway.store.replace(replace(running.complete_if_done(gateway.clock.now()), version=operation.version + 1))
    head = gateway.call("HEAD", f"/v1/images/{operation.id}-0")
    assert (head.status, head.text) == (200, "")
    assert (head.headers["content-type"], head.headers["content-length"]) == ("image/webp", "4321")
    assert gateway.call("GET", f"/v1/images/{operation.id}-0").status == 302
    assert gateway.call("HEAD", f"/v1/images/{operation.id}-1").status == 404


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"steps": 4}, "steps", 4),
        ({"numInferenceSteps": 4}, "steps", 4),
        ({"num_images": 3}, "n", 3),
        ({"numImages": "3"}, "n", 3),
        ({"batch-size": 2}, "n", 2),
        ({"image_size": "768x512"}, "size", Size(768, 512)),
        ({"resolution": "768x512"}, "size", Size(768, 512)),
        ({"aspectRatio": "4:3"}, "ratio", (4, 3)),
        ({"random_seed": 5}, "seed", 5),
        ({"outputFormat": "PNG"}, "output_format", "png"),
        ({"extra_body": {"seed": 7}}, "seed", 7),
        ({"quality": "HD"}, "quality", "hd"),
        ({"style": "Vivid"}, "style", "vivid"),
    ],
    ids=str,
)
def test_a3_a_field_has_its_effect_under_the_names_of_peers(
    gateway: Gateway, fields: dict[str, Any], name: str, value: Any
) -> None:
    request = accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request
    assert getattr(request, name) == value
    assert request.unused_fields == ()


@pytest.mark.parametrize(
    ("fields", "unused"),
    [
        ({"loras": [{"path": "x"}]}, ("loras",)),
        ({"frames": 9, "scheduler": "DDIM"}, ("frames", "scheduler")),
        ({"extra_body": {"whatever": 1}}, ("whatever",)),
        ({"resolution": "high"}, ("resolution",)),
        ({"seed": 1, "random_seed": 2}, ("random_seed",)),
        ({"size": "512x512", "width": 768, "height": 768}, ("size",)),
        ({"size": "16:9", "aspect_ratio": "1:1"}, ("aspect_ratio",)),
        ({"input_fidelity": "high"}, ("input_fidelity",)),
        ({"x" * 200: 1}, (f"{'x' * 59}…",)),
        ({"a\u202eb": 1}, ("a?b",)),
        ({"audio": None, "svg": "", "loras": [], "extra_headers": {}}, ()),
        ({"partial_images": 2, "stream": True}, ()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a3_a24_a_field_without_effect_is_named(
    gateway: Gateway, fields: dict[str, Any], unused: tuple[str, ...]
) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request.unused_fields == unused


def test_a3_a_refusal_calls_a_field_what_the_caller_called_it(gateway: Gateway) -> None:
    error = error_of(post(gateway, {"prompt": "a cat", "num_images": 99}))
    assert (error["param"], "'num_images'" in error["message"]) == ("num_images", True)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("FLUX", "flux"),
        ("FLUX.1-schnell", "flux"),
        ("FLUX.1 [schnell]", "flux"),
        (" flux ", "flux"),
        ("Flux_Schnell", "flux"),
        ("black-forest-labs/FLUX.1-schnell", "flux"),
        ("openai/gpt-image-2", "gpt-image-2"),
        ("OpenAI/DALL-E-3", "flux"),
        ("yandex/Alice-Art", "alice-art"),
    ],
)
def test_a7_a_model_is_found_by_its_name_however_it_is_written(gateway: Gateway, name: str, model: str) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", "model": name})).model == model
    assert gateway.call("GET", f"/v1/models/{name.strip().replace(' ', '%20')}").json()["id"] == model


def test_a7_every_name_of_a_route_is_found_in_any_case(gateway: Gateway) -> None:
    for route in gateway.routes:
        for name in (route.model, *route.aliases):
            for spelled in (name.upper(), name.lower(), f" Maker/{name.title()} "):
                found = gateway.routes.find(spelled.replace("*", "-x"))
                assert found
                assert route.model == found.model or "*" in name, spelled


@pytest.mark.parametrize("path", [GENERATIONS, OPERATIONS])
@pytest.mark.parametrize(
    ("fields", "size", "ratio"),
    [
        ({"size": "16:9"}, None, (16, 9)),
        ({"aspect_ratio": "16x9"}, None, (16, 9)),
        ({"aspect_ratio": "16/9"}, None, (16, 9)),
        ({"aspect_ratio": "1.5"}, None, (3, 2)),
        ({"aspect_ratio": "portrait"}, None, (2, 3)),
        ({"size": "landscape_16_9"}, None, (16, 9)),
        ({"size": "512"}, Size(512, 512), None),
        ({"size": 512}, Size(512, 512), None),
        ({"size": "1024×768"}, Size(1024, 768), None),  # noqa: RUF001
        ({"size": "1024 X 768"}, Size(1024, 768), None),
        ({"size": "1024*768"}, Size(1024, 768), None),
        ({"size": "1024x768px"}, Size(1024, 768), None),
        ({"size": {"width": 1024, "height": 768}}, Size(1024, 768), None),
        ({"size": "Auto"}, None, None),
        ({"size": ""}, None, None),
        ({"aspect_ratio": ""}, None, None),
    ],
    ids=str,
)
def test_a8_a27_a_shape_is_understood_in_every_spelling(
    gateway: Gateway, path: str, fields: dict[str, Any], size: Size | None, ratio: tuple[int, int] | None
) -> None:
    request = accepted(gateway, post(gateway, {"model": "flux", "prompt": "a cat", **fields}, path)).request
    assert (request.size, request.ratio) == (size, ratio)


OPTIONAL = ("model", "n", "size", "width", "height", "aspect_ratio", "response_format", "output_format",
            "output_compression", "seed", "negative_prompt", "num_inference_steps", "guidance_scale", "quality",
            "style", "background", "moderation", "complexity", "provider", "stream", "partial_images", "user",
            "safety_identifier", "expand", "deadline", "webhook", "mask", "image", "steps", "anything")  # fmt: skip


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("name", OPTIONAL)
def test_a9_an_empty_field_is_absent(gateway: Gateway, name: str, blank: str) -> None:
    bare = accepted(gateway, post(gateway, {"prompt": "a cat"}))
    operation = accepted(gateway, post(gateway, {"prompt": "a cat", name: blank}))
    assert (operation.request, operation.reply) == (bare.request, bare.reply)


@pytest.mark.parametrize("name", ["provider", "n", "size", "aspect_ratio", "seed", "steps", "guidance", "webhook"])
def test_a9_the_operations_api_too(gateway: Gateway, name: str) -> None:
    body = {"model": "flux", "prompt": "a cat"}
    bare = accepted(gateway, post(gateway, body, OPERATIONS))
    assert accepted(gateway, post(gateway, body | {name: ""}, OPERATIONS)).request == bare.request


@pytest.mark.parametrize(("model", "most"), [("flux", 4000), ("alice-art", 500), ("dall-e-3", 4000)])
def test_a20_a_prompt_that_is_too_long_is_told_the_limit(gateway: Gateway, model: str, most: int) -> None:
    error = error_of(post(gateway, {"prompt": "x" * (most + 1), "model": model}))
    assert error["param"] == "prompt"
    assert f"{most + 1} characters" in error["message"]
    assert f"at most {most}." in error["message"]


@pytest.mark.parametrize(
    ("pasted", "cleaned"),
    [
        ("a\u000bcat", "a\ncat"),
        ("a\u000ccat", "a\ncat"),
        ("a\u2028cat", "a\ncat"),
        ("a \u0000cat", "a cat"),
        ("a cat\ud83d", "a cat"),
        ("a \u202dcat\u202c", "a cat"),
        ("a \x1b[1mcat", "a [1mcat"),
    ],
)
def test_a21_what_is_pasted_into_a_prompt_is_cleaned_and_reported(gateway: Gateway, pasted: str, cleaned: str) -> None:
    for path in (GENERATIONS, OPERATIONS):
        request = accepted(gateway, post(gateway, {"model": "flux", "prompt": pasted}, path)).request
        assert (request.prompt, request.unused_fields) == (cleaned, ("prompt",))
    started = post(gateway, {"modelUri": "art://f/yandex-art/latest", "messages": [{"text": pasted}]}, YANDEXART)
    stored = gateway.store.get(started.json()["id"])
    assert stored
    assert (stored.request.prompt, stored.request.unused_fields) == (cleaned, ("messages",))


def test_a22_every_name_that_can_be_asked_for_is_listed(gateway: Gateway) -> None:
    listed = {model["id"]: model["alias_of"] for model in gateway.call("GET", "/v1/models").json()["data"]}
    assert {listed[name] for name in ("flux", "gpt-image-2", "alice-art", "yandex-art")} == {None}
    assert {listed[name] for name in ("flux-schnell", "dall-e-2", "dall-e-3")} == {"flux"}
    assert {listed[name] for name in ("gpt-image-1", "chatgpt-image-latest")} == {"gpt-image-2"}
    assert not [name for name in listed if "*" in name]
    for name, model in listed.items():
        assert accepted(gateway, post(gateway, {"prompt": "a cat", "model": name})).model == (model or name)


@pytest.mark.parametrize(
    "uri", ["art://yandex-art/latest", "art:///yandex-art/latest", "art://yandex-art", "art://yandex-art/rc"]
)
def test_a23_a_uri_without_a_folder_is_told_so(gateway: Gateway, uri: str) -> None:
    error = error_of(post(gateway, {"prompt": "a cat", "model": uri}))
    assert error["param"] == "model"
    refused = post(gateway, {"modelUri": uri, "messages": [{"text": "a cat"}]}, YANDEXART)
    assert refused.status == 400
    for message in (error["message"], refused.json()["message"]):
        assert "The folder is missing" in message
        assert "art://<folder>/<model>/latest" in message


def test_a26_the_list_takes_aliases_and_refuses_what_it_does_not_have(gateway: Gateway) -> None:
    made = accepted(gateway, post(gateway, {"prompt": "a cat", "model": "dall-e-3"}))
    for model in ("dall-e-3", "flux", "FLUX", "black-forest-labs/FLUX.1-schnell"):
        [found] = gateway.call("GET", f"/v1/operations?model={model}").json()["operations"]
        assert found["id"] == made.id
    for query in ("limit=1", "page_size=1&offset=2", "State=running"):
        refused = gateway.call("GET", f"/v1/operations?{query}")
        assert refused.status == 400
        assert refused.json()["param"] == query.rpartition("&")[2].partition("=")[0]
        assert "page_size" in refused.json()["remedy"]
    assert gateway.call("GET", f"/v1/operations/{made.id}?expand=1").status == 400
    assert gateway.call("GET", "/v1/usage?day=1").json()["param"] == "day"


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"n": "2"}, "n", 2),
        ({"seed": "7"}, "seed", 7),
        ({"steps": "4"}, "steps", 4),
        ({"size": "1024x1024"}, "size", Size(1024, 1024)),
        ({"size": "16:9"}, "ratio", (16, 9)),
        ({"aspect_ratio": "16x9"}, "ratio", (16, 9)),
    ],
    ids=str,
)
def test_a27_the_operations_api_takes_what_its_neighbour_takes(
    gateway: Gateway, fields: dict[str, Any], name: str, value: Any
) -> None:
    request = accepted(gateway, post(gateway, {"model": "flux", "prompt": "a cat", **fields}, OPERATIONS)).request
    assert getattr(request, name) == value


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/openai/deployments/flux/images/generations?api-version=2025-04-01-preview", "flux"),
        ("/openai/deployments/gpt-image-2/images/generations?api-version=2024-02-01", "gpt-image-2"),
        ("/openai/deployments/FLUX.1-schnell/images/generations", "flux"),
        ("/openai/deployments/openai/gpt-image-2/images/generations", "gpt-image-2"),
        ("/v1/openai/deployments/flux/images/generations", "flux"),
        ("/openai/v1/images/generations", "gpt-image-2"),
    ],
)
def test_a4_azures_paths_are_served(gateway: Gateway, path: str, model: str) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "a cat", "model": "gpt-image-2"}, path))
    assert operation.model == model
    assert operation.request.unused_fields == (() if model == "gpt-image-2" else ("model",))
    edit = path.replace("generations", "edits")
    answer = post(gateway, {"prompt": "a hat", "model": "gpt-image-2", "image": DATA_URL}, edit)
    assert answer.status == (202 if model == "gpt-image-2" else 400), answer.text


def test_a4_a5_openais_client_for_azure_works_unchanged() -> None:
    gateway = Gateway(routes=registry.routes(), access="keys", hold_seconds=0)
    _, key = gateway.key()
    azure = openai.AzureOpenAI(
        azure_endpoint="http://api.invalid",
        api_version="2025-04-01-preview",
        api_key=key,
        http_client=openai.DefaultHttpxClient(transport=Transport(gateway), follow_redirects=False),
        max_retries=0,
    )
    with azure as client:
        for call in (
            lambda: client.images.generate(model="flux", prompt="a cat"),
            lambda: client.images.edit(model="gpt-image-2", prompt="a hat", image=("a.png", PICTURE)),
        ):
            with pytest.raises(openai.APIStatusError) as told:
                call()
            assert told.value.status_code == 303, "it is accepted, and waited for"
    models = [gateway.store.get(document) for document in gateway.store.documents]
    assert {operation.model for operation in models if operation} == {"flux", "gpt-image-2"}


def test_a4_an_unknown_deployment_is_an_unknown_model(gateway: Gateway) -> None:
    answer = post(gateway, {"prompt": "a cat"}, "/openai/deployments/mine/images/generations?api-version=1")
    assert (answer.status, error_of(answer)["code"]) == (404, "model_not_found")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer @"},
        {"authorization": "bearer  @"},
        {"authorization": "Api-Key @"},
        {"authorization": "Token @"},
        {"authorization": "Key @"},
        {"authorization": "@"},
        {"x_api_key": "@"},
        {"api_key": "@"},
        {"apikey": "@"},
        {"x_goog_api_key": "@"},
        {"ocp_apim_subscription_key": "@"},
        {"api_key": "@", "authorization": "Bearer azure-ad-token"},
        {"authorization": "Bearer @", "x_api_key": "x"},
    ],
    ids=str,
)
def test_a5_a_key_is_taken_from_every_common_header(headers: dict[str, str]) -> None:
    gateway = Gateway(access="keys")
    _, key = gateway.key()
    sent = {name: value.replace("@", key) for name, value in headers.items()}
    assert gateway.call("GET", "/v1/models", **sent).status == 200
    wrong = {name: value.replace("@", key[:-1]) for name, value in headers.items()}
    assert gateway.call("GET", "/v1/models", **wrong).status == 401


def test_a5_a_key_may_be_the_password_or_the_user_of_basic_authentication() -> None:
    gateway = Gateway(access="keys")
    _, key = gateway.key()
    for credentials in (basic("", key), basic("me", key), basic(key, ""), basic(key, "x")):
        assert gateway.call("GET", "/v1/models", authorization=credentials).status == 200
    for wrong in (basic("me", "x"), "Basic @@@", "Basic", "Digest x"):
        assert gateway.call("GET", "/v1/models", authorization=wrong).status == 401


def test_a5_a_refusal_says_which_headers_are_read() -> None:
    message = error_of(Gateway(access="keys").call("GET", "/v1/models"))["message"]
    for named in ("Authorization: Bearer", "Authorization: Api-Key", "x-api-key", "api-key"):
        assert named in message


SERVED = ("/images/generations", "/v1/v1/images/generations", "/v1/images/generations/images/generations",
          "/v1/images/generations/v1/images/generations", "/api/v1/images/generations", "//v1/images/generations",
          "/v1//images/generations", "/v1/images/generations/", "/openai/images/generations",
          "/v1/chat/completions/images/generations", "/v1/images/edits/images/generations")  # fmt: skip


@pytest.mark.parametrize("path", SERVED)
def test_a6_a_base_url_that_is_nearly_right_is_served(gateway: Gateway, path: str) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat"}, path)).model == "flux"
    edit = path.removesuffix("/").removesuffix("generations") + "edits"
    assert accepted(gateway, post(gateway, {"prompt": "a hat", "image": DATA_URL}, edit)).request.inputs


@pytest.mark.parametrize(
    "path",
    ["/models", "/v1/v1/models", "/api/v1/models", "/v1/images/generations/models", "/openai/models", "/v1/models/"],
)
def test_a6_so_are_the_models(gateway: Gateway, path: str) -> None:
    assert gateway.call("GET", path).json()["object"] == "list"
    assert gateway.call("GET", f"{path.removesuffix('/')}/FLUX").json()["id"] == "flux"


@pytest.mark.parametrize(
    "path",
    ["/chat/completions", "/v1/v1/chat/completions", "/api/v1/chat/completions", "/v1/chat/completions/",
     "/openai/deployments/flux/chat/completions"],
)  # fmt: skip
def test_a17_so_are_chats(gateway: Gateway, path: str) -> None:
    body = {"messages": [{"role": "user", "content": "a cat"}]}
    assert accepted(gateway, post(gateway, body, path)).dialect == "openai_chat"


@pytest.mark.parametrize("path", ["/responses", "/v1/v1/responses", "/openai/v1/responses", "/v1/responses/"])
def test_a17_so_are_responses(gateway: Gateway, path: str) -> None:
    operation = accepted(gateway, post(gateway, {"input": "a cat", "model": "flux"}, path))
    assert operation.dialect == "openai_responses"
    shown = gateway.call("GET", f"{path.removesuffix('/')}/resp_{operation.id}")
    assert shown.json()["operation_id"] == operation.id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/completions"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v2/images/generations"),
        ("POST", "/proxy/images/generations"),
        ("POST", "/v1/image/generations"),
        ("GET", "/v1beta/models"),
        ("POST", "/v1"),
        ("POST", "/v1/images/create"),
    ],
)
def test_a6_a17_any_other_path_says_where_pictures_are_made(gateway: Gateway, method: str, path: str) -> None:
    answer = gateway.call(method, path, {"prompt": "a cat"})
    assert answer.status in (404, 405)
    assert "POST /v1/images/generations" in answer.text
    assert "base URL" in answer.text


def test_a6_providers_of_g4fs_paths_are_no_versions(gateway: Gateway) -> None:
    path = "/api/black-forest-labs/images/generations"
    assert accepted(gateway, post(gateway, {"prompt": "a cat"}, path)).request.provider == "black-forest-labs"


@pytest.mark.parametrize("path", ["/health", "/healthz", "/livez", "/readyz"])
def test_a16_health_needs_no_key(path: str) -> None:
    gateway = Gateway(access="keys")
    for method in ("GET", "HEAD"):
        assert gateway.call(method, path).status == 200
    assert gateway.call("GET", path).json() == {"status": "ok", "version": __version__}
    assert gateway.call("GET", "/v1/models").status == 401


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress),
     ("identity", bytes)],
)  # fmt: skip
@pytest.mark.parametrize("path", [GENERATIONS, OPERATIONS])
def test_a18_a_compressed_body_is_decoded(gateway: Gateway, path: str, encoding: str, encode: Any) -> None:
    body = json.dumps({"model": "flux", "prompt": "a cat"}).encode()
    assert accepted(gateway, post(gateway, encode(body), path, content_encoding=encoding)).request.prompt == "a cat"


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("zstd", b"x", 415),
        ("gzip, gzip", b"x", 415),
        ("gzip", b'{"prompt": "a cat"}', 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", 400),
        ("gzip", b"", 400),
        ("gzip", gzip.compress(b" " * 7_000_000, mtime=0), 413),
    ],
    ids=str,
)
def test_a18_any_other_body_is_refused(gateway: Gateway, encoding: str, body: bytes, status: int) -> None:
    answer = post(gateway, body, content_encoding=encoding)
    assert answer.status == status
    assert encoding in error_of(answer)["message"] or status == 413


def test_a18_nothing_is_decoded_without_a_key() -> None:
    gateway = Gateway(access="keys")
    assert post(gateway, b"x", content_encoding="zstd").status == 401


def ended_at_once(gateway: Gateway, content_type: str = "image/png") -> None:
    """Let every operation have its picture at its first poll."""
    create = gateway.store.create

    def at_once(operation: Operation, *rest: Any) -> None:
        create(operation, *rest)
        gateway.images.put("images/k", PICTURE, content_type)
        made = Picture(
            slot=0,
            key="images/k",
            sha256="s",
            content_type=content_type,
            width=64,
            height=48,
            bytes=len(PICTURE),
            provider="alpha",
        )
        running = operation.moved(State.RUNNING, 1.0).with_pictures((made,))
        gateway.store.replace(replace(running.complete_if_done(gateway.clock.now()), version=2))

    gateway.store.create = at_once  # type: ignore[method-assign]


@pytest.mark.parametrize("path", ["/v1", "/", "/v1/", "/v1/images/generations", "/v1/models/flux", "/models/flux"])
def test_p7_hugging_faces_task_is_answered_with_bytes(gateway: Gateway, path: str) -> None:
    ended_at_once(gateway)
    body = {"inputs": "a cat", "parameters": {"height": 512, "width": 768, "seed": 3, "scheduler": "ddim"}}
    answer = gateway.handle(event("POST", path, json.dumps(body).encode(), {"accept": "image/png"}))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.text == PICTURE.decode(errors="replace")
    stored = gateway.store.get(answer.headers["x-imagegate-operation-id"])
    assert stored
    request = stored.request
    assert (request.prompt, request.size, request.seed) == ("a cat", Size(768, 512), 3)
    assert (request.output_format, request.unused_fields) == ("png", ("scheduler",))


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"inputs": "a cat", "parameters": {"num_images_per_prompt": 2}}, 400, "n"),
        ({"inputs": "a cat", "parameters": [1]}, 400, "parameters"),
        ({"inputs": ""}, 400, "prompt"),
        ({"inputs": "a cat", "parameters": {"model": "nope"}}, 404, "model"),
        ({"inputs": ["a cat"]}, 404, None),
        ({"prompt": "a cat"}, 404, None),
    ],
    ids=str,
)
def test_p7_what_is_wrong_with_a_task_is_told(
    gateway: Gateway, body: dict[str, Any], status: int, param: str | None
) -> None:
    answer = post(gateway, body, "/v1")
    assert (answer.status, error_of(answer)["param"]) == (status, param), answer.text


def test_p7_a_client_that_needs_bytes_without_asking_for_them_gets_them_beside_the_url(gateway: Gateway) -> None:
    """pydantic-ai, Haystack and LibreChat do, for every model, through OpenAI's packages."""
    ended_at_once(gateway)
    agents = ("AsyncOpenAI/Python 3.57.0", "OpenAI/Python 3.57.0", "AzureOpenAI/Python 3.57.0", "OpenAI/JS 7.59.0")
    for model, agent in itertools.product(("flux", "alice-art"), agents):
        body = {"model": model, "prompt": "a cat"}
        [both] = gateway.call("POST", GENERATIONS, body, user_agent=agent).json()["data"]
        assert set(both) == {"url", "b64_json"}
        [asked] = gateway.call("POST", GENERATIONS, body | {"response_format": "url"}, user_agent=agent).json()["data"]
        assert set(asked) == {"url"}
        [other] = gateway.call("POST", GENERATIONS, body, user_agent="python-requests/2.34.2").json()["data"]
        assert set(other) == {"url"}


@pytest.mark.parametrize(
    "agent",
    [
        "ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2",
        "ai/5.0.1 ai-sdk/openai-compatible/1.0.0 ai-sdk/provider-utils/3.0.0 runtime/node.js/20",
        "my-app/1.0 ai-sdk/openai-compatible/3.0.92",
    ],
)
def test_p5_the_ai_sdk_gets_bytes_unless_it_says_how(gateway: Gateway, agent: str) -> None:
    ended_at_once(gateway)
    for asked, keys in ((None, {"b64_json"}), ("", {"b64_json"}), ("url", {"url"}), ("b64_json", {"b64_json"})):
        body = {"model": "flux", "prompt": "a cat", "response_format": asked}
        [datum] = gateway.call("POST", GENERATIONS, body, user_agent=agent).json()["data"]
        assert set(datum) == keys


def test_clients_with_other_defaults_share_no_operation(gateway: Gateway) -> None:
    """Each gets an answer that it can read, although the bodies are the same and the first one still waits."""
    body, task = {"prompt": "a cat"}, {"inputs": "a cat"}
    clients = [
        (GENERATIONS, body, "x"),
        (GENERATIONS, body, "OpenAI/JS 7"),
        (GENERATIONS, body, "ai-sdk/1"),
        ("/v1", task, "hf_hub"),
    ]
    for path, sent, agent in clients:
        gateway.call("POST", path, sent, user_agent=agent)
        gateway.clock.sleep(5)
    replies = [json.loads(text)["reply"]["response_format"] for text in gateway.store.documents.values()]
    assert sorted(replies) == ["b64_json", "both", "bytes", "url"]


def test_a19_the_answer_says_which_provider_made_it_and_why() -> None:
    able = replace(LIMITS, capabilities=frozenset({"negative_prompt"}))
    targets = (Target(provider="alpha", model="m", limits=LIMITS), Target(provider="beta", model="m", limits=able))
    world = World(routes=Routes([Route(model="flux", targets=targets)]))
    world.beta.checks = [ready()]
    operation = world.drive(world.begun(negative_prompt="fog"))
    assert operation.attempts[0].reason == "alpha cannot honour 'negative_prompt'"
    rendered = [RenderedPicture(picture=each, url="https://u") for each in operation.pictures]
    answer = openai_responses.render_success(operation, rendered).body
    assert (answer["provider"], answer["provider_reason"]) == ("beta", "alpha cannot honour 'negative_prompt'")


def test_a19_a_provider_that_failed_before_is_named_and_the_first_needs_no_reason() -> None:
    world = World()
    world.alpha.submissions = [failing(FailureCode.AUTH)]
    world.beta.checks = [ready()]
    operation = world.drive(world.begun())
    assert [attempt.reason for attempt in operation.attempts] == ["", "alpha failed: auth"]


def test_p8_a_picture_of_one_colour_is_delivered_and_reported() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    world = World()
    world.http.downloads[URL] = out.getvalue()
    world.alpha.checks = [ready()]
    operation = world.drive(world.begun())
    assert operation.state is State.SUCCEEDED
    rendered = [RenderedPicture(picture=each, url="https://u") for each in operation.pictures]
    assert openai_responses.render_success(operation, rendered).body["data"] == [
        {"url": "https://u", "single_colour": True}
    ]
