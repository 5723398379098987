"""Further spellings of what clients send, by kind, and what each is understood as: siblings of test_client_shapes."""

import base64
from typing import Any

import pytest

from imagegate.domain.request.geometry import Size
from imagegate.providers import registry
from support.fakes import picture
from support.gateway import Gateway
from support.picture_requests import accepted, post

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
PICTURE = picture()
BASE64 = base64.b64encode(PICTURE).decode()
DATA_URL = f"data:image/png;base64,{BASE64}"
HTTPS = "https://pictures.example.com/cat.png"


@pytest.fixture
def gateway() -> Gateway:
    """With the routes of a deployment."""
    return Gateway(routes=registry.routes(), expands=False)


@pytest.mark.parametrize(
    ("fields", "size", "ratio"),
    [
        ({"size": [1024, 768]}, Size(1024, 768), None),
        ({"size": ["1024", "768"]}, Size(1024, 768), None),
        ({"size": "[1024, 768]"}, Size(1024, 768), None),
        ({"size": "(1024, 768)"}, Size(1024, 768), None),
        ({"size": "1024.0x768.0"}, Size(1024, 768), None),
        ({"size": "1024-768"}, Size(1024, 768), None),
        ({"size": "1024_768"}, Size(1024, 768), None),
        ({"size": "１０２４x７６８"}, Size(1024, 768), None),  # noqa: RUF001
        ({"size": {"w": 1024, "h": 768}}, Size(1024, 768), None),
        ({"size": "1.91:1"}, None, (191, 100)),
        ({"size": "1.5"}, None, (3, 2)),
        ({"size": "16-9"}, None, (16, 9)),
        ({"size": "portrait 4:3"}, None, (3, 4)),
        ({"size": "none"}, None, None),
        ({"size": "1K"}, Size(1024, 1024), None),
        ({"size": "2K"}, Size(2048, 2048), None),
        ({"imageSize": "0.5K"}, Size(512, 512), None),
        ({"resolution": "1k", "aspect_ratio": "16:9"}, Size(1360, 768), (16, 9)),
        ({"image_config": {"aspect_ratio": "16:9"}}, None, (16, 9)),
        ({"aspect_ratio": "16：9"}, None, (16, 9)),  # noqa: RUF001
        ({"aspect_ratio": "16_9"}, None, (16, 9)),
        ({"aspect_ratio": "ASPECT_16_9"}, None, (16, 9)),
        ({"aspect_ratio": "ASPECT_RATIO_16_9"}, None, (16, 9)),
        ({"aspect_ratio": "RATIO_4_3"}, None, (4, 3)),
        ({"aspect_ratio": [16, 9]}, None, (16, 9)),
        ({"aspect_ratio": {"width": 16, "height": 9}}, None, (16, 9)),
        ({"aspect_ratio": "match_input_image"}, None, None),
        ({"aspect_ratio": "custom", "width": 640, "height": 480}, Size(640, 480), None),
        ({"width": 1600, "aspect_ratio": "16:9"}, Size(1600, 900), (16, 9)),
        ({"height": 900, "size": "16:9"}, Size(1600, 900), None),
        ({"w": 640, "h": 480}, Size(640, 480), None),
        ({"dimensions": "640x480"}, Size(640, 480), None),
        ({"input": {"prompt": "a cat"}, "parameters": {"size": "1024*768"}}, Size(1024, 768), None),
    ],
    ids=str,
)
def test_a8_a_shape_is_understood(
    gateway: Gateway, fields: dict[str, Any], size: Size | None, ratio: tuple[int, int] | None
) -> None:
    request = accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request
    assert (request.size, request.ratio, request.unused_fields) == (size, ratio, ())


@pytest.mark.parametrize("side", ["width", "height"])
def test_a8_one_side_alone_is_told_what_is_missing(gateway: Gateway, side: str) -> None:
    error = post(gateway, {"prompt": "a cat", side: 640}).json()["error"]
    other = "height" if side == "width" else "width"
    assert (error["param"], f"Send '{other}' or 'aspect_ratio' too." in error["message"]) == (other, True)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"CFGScale": 7.5}, "guidance", 7.5),
        ({"cfg_value": "7.5"}, "guidance", 7.5),
        ({"stepCount": 4}, "steps", 4),
        ({"diffusion_steps": "4"}, "steps", 4),
        ({"neg_prompt": "fog"}, "negative_prompt", "fog"),
        ({"rngSeed": "7.0"}, "seed", 7),
        ({"seed": 2**32}, "seed", 2**32),
        ({"numberResults": 2}, "n", 2),
        ({"samples": "2"}, "n", 2),
        ({"nImages": 2.0}, "n", 2),
        ({"output_format": "image/webp;q=0.9"}, "output_format", "webp"),
        ({"output_format": "original"}, "output_format", None),
        ({"positivePrompt": "a cat", "prompt": None}, "prompt", "a cat"),
        ({"parameters": {"seed": 3}}, "seed", 3),
        ({"extraBody": {"seed": 3}}, "seed", 3),
        ({"extra_body": {"extra_body": {"seed": 3}}}, "seed", 3),
    ],
    ids=str,
)
def test_a3_a_field_has_its_effect(gateway: Gateway, fields: dict[str, Any], name: str, value: Any) -> None:
    body = {"prompt": "a cat", "model": "stable-diffusion-xl", **fields}
    request = accepted(gateway, post(gateway, body)).request
    assert (getattr(request, name), request.unused_fields) == (value, ())


@pytest.mark.parametrize(
    ("fields", "unused"),
    [
        ({"seed": 1, "extra_body": {"seed": 2}}, ("extra_body.seed",)),
        ({"seed": 1, "parameters": {"seed": 1, "scheduler": "ddim"}}, ("scheduler",)),
        ({"providerOptions": {"openai": {"seed": 3}}}, ("providerOptions",)),
        ({"extra_body": '{"seed": 3}'}, ("extra_body",)),
        ({"size": "640x480", "resolution": "2K"}, ("resolution",)),
    ],
    ids=str,
)
def test_a3_a_field_without_effect_is_named(gateway: Gateway, fields: dict[str, Any], unused: tuple[str, ...]) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", **fields})).request.unused_fields == unused


@pytest.mark.parametrize(
    "spelling", ["B64_JSON", "b64-json", "b64 json", "base64", {"type": "b64_json"}, {"type": "B64"}], ids=str
)
def test_a3_base64_is_understood(gateway: Gateway, spelling: Any) -> None:
    reply = accepted(gateway, post(gateway, {"prompt": "a cat", "response_format": spelling})).reply
    assert reply["response_format"] == "b64_json"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"steps": 0}, "steps"),
        ({"num_steps": 99}, "num_steps"),
        ({"num_inference_steps": 99}, "num_inference_steps"),
        ({"cfg_scale": 5}, "cfg_scale"),
        ({"guidance_scale": 5}, "guidance_scale"),
        ({"random_seed": 5}, "random_seed"),
        ({"negativePrompt": "fog"}, "negativePrompt"),
        ({"text": "x" * 501, "prompt": None}, "text"),
    ],
    ids=str,
)
def test_a3_a_refusal_calls_a_field_what_the_caller_called_it(
    gateway: Gateway, fields: dict[str, Any], param: str
) -> None:
    body = {"prompt": "a cat", "model": "alice-art", **fields}  # which takes none of them
    error = post(gateway, body).json()["error"]
    assert error["param"] == param, error
    assert f"'{param}'" in error["message"] or param == "text"


@pytest.mark.parametrize(("field", "value"), [("background", "transparent"), ("cfg_scale", 5)])
def test_p4_a_refusal_names_the_models_that_can(gateway: Gateway, field: str, value: Any) -> None:
    message = post(gateway, {"prompt": "a cat", "model": "mai-image", field: value}).json()["error"]["message"]
    assert "Leave it out, or use one of: " in message
    for model in message.partition("one of: ")[2].rstrip(".").split(", "):
        assert accepted(gateway, post(gateway, {"prompt": "a cat", "model": model, field: value}))


@pytest.mark.parametrize(
    "fields",
    [
        {"image": f"DATA:image/png;base64,{BASE64}"},
        {"image": f"data:image/png;BASE64,{BASE64}"},
        {"image": f"data:;base64,{BASE64}"},
        {"image": f"data:base64,{BASE64}"},
        {"image": f"base64,{BASE64}"},
        {"image": f"image/png;base64,{BASE64}"},
        {"image": f"\n {DATA_URL} \n"},
        {"image": "\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76))},
        {"image": BASE64.rstrip("=")},
        {"image": BASE64.replace("+", "-").replace("/", "_")},
        {"image": {"b64": BASE64}},
        {"image": {"uri": HTTPS}},
        {"image": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}},
        {"image": {"inlineData": {"mimeType": "image/png", "data": BASE64}}},
        {"image_1": DATA_URL},
        {"image1": DATA_URL},
        {"input_image": DATA_URL},
        {"input_image_2": DATA_URL},
        {"ref_images": [DATA_URL]},
        {"input": {"prompt": "a hat", "image": DATA_URL}},
        {"parameters": {"image_url": {"url": HTTPS, "detail": "high"}}},
    ],
    ids=lambda fields: str(fields).replace(BASE64, "…")[:60],
)
@pytest.mark.parametrize("path", [GENERATIONS, EDITS])
def test_a2_a10_a_picture_to_work_from_is_found(gateway: Gateway, path: str, fields: dict[str, Any]) -> None:
    gateway.elsewhere[HTTPS] = PICTURE
    operation = accepted(gateway, post(gateway, {"prompt": "a hat", "model": "gpt-image-2", **fields}, path))
    assert [gateway.images.objects[image.key] for image in operation.request.inputs] == [PICTURE]
    assert operation.request.unused_fields == ()


def test_a10_several_numbered_pictures_keep_their_order(gateway: Gateway) -> None:
    other = picture(32, 32)
    body = {"prompt": "a hat", "model": "gpt-image-2", "input_image": DATA_URL}
    body["input_image_2"] = base64.b64encode(other).decode()
    inputs = accepted(gateway, post(gateway, body, EDITS)).request.inputs
    assert [gateway.images.objects[image.key] for image in inputs] == [PICTURE, other]


@pytest.mark.parametrize("field", ["image_prompt", "file", "inpaint_mask", "subject_image"])
def test_a2_a_picture_elsewhere_is_told_where_it_belongs(gateway: Gateway, field: str) -> None:
    error = post(gateway, {"prompt": "a hat", "model": "gpt-image-2", field: DATA_URL}).json()["error"]
    assert error["param"] == field
    assert f"Send it as '{'mask' if 'mask' in field else 'image'}'" in error["message"]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("flux\n", "flux"),
        ("flux1-schnell", "flux"),
        ("flux-1-schnell:free", "flux"),
        ("black-forest-labs/FLUX.1-schnell-Free", "flux"),
        ("flux:latest", "flux"),
        ("fal-ai/flux/schnell", "flux"),
        ("fal-ai/flux/dev", "flux-dev"),
        ("DALLE-3", "flux"),
        ("dall-e3", "flux"),
        ("DALL·E 3", "flux"),
        ("gpt-image-1-2025-04-15", "gpt-image-2"),
        ("gpt-image-2-2026-04-21", "gpt-image-2"),
        ("openai:gpt-image-2", "gpt-image-2"),
        ("azure/gpt-image-2", "gpt-image-2"),
        ("openrouter/openai/gpt-image-2", "gpt-image-2"),
        ("models/gemini-2.5-flash-image", "gemini-2.5-flash-image"),
        ("stabilityai/stable-diffusion-xl-base-1.0", "stable-diffusion-xl"),
        ("SDXL", "stable-diffusion-xl"),
    ],
)
def test_a7_a_model_is_found(gateway: Gateway, name: str, model: str) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", "model": name})).model == model


@pytest.mark.parametrize("name", ["gpt-4o", "flux1.1-pro", "flux-3", "imagen-4", "flux-schnell-v1", "schnell", "-"])
def test_a7_another_model_is_not_mistaken_for_one(gateway: Gateway, name: str) -> None:
    assert post(gateway, {"prompt": "a cat", "model": name}).json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("name", ["dalle-3", "DALL·E 3", "openai:gpt-image-2", "GPT Image 1"])
def test_a1_openais_names_make_png(gateway: Gateway, name: str) -> None:
    assert accepted(gateway, post(gateway, {"prompt": "a cat", "model": name})).request.output_format == "png"


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/deployments/gpt-image-2/images/generations?api-version=2024-02-01", "gpt-image-2"),
        ("/openai/deployments/flux/images/generations/?api-version=2024-02-01", "flux"),
        ("/v1/images/generations%20", "flux"),
        ("/v1/api/images/generations", "flux"),
        ("/openai/v1/images/generations?api-version=preview", "flux"),
    ],
)
def test_a4_a6_a_path_is_served(gateway: Gateway, path: str, model: str) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "a cat"}, path))
    assert (operation.model, operation.request.unused_fields) == (model, ())


@pytest.mark.parametrize("path", ["create", "generation", "generations.json", "text2image"])
def test_a6_a_mistaken_path_is_refused_in_the_clients_own_shape(gateway: Gateway, path: str) -> None:
    answer = post(gateway, {"prompt": "a cat"}, f"/v1/images/{path}")
    assert answer.status in (404, 405)
    assert "POST /v1/images/generations makes pictures." in answer.json()["error"]["message"]


def test_a26_parameters_of_the_url_without_effect_are_named(gateway: Gateway) -> None:
    operation = accepted(gateway, post(gateway, {"prompt": "a cat"}, f"{GENERATIONS}?model=gpt-image-2&api-version=1"))
    assert (operation.model, operation.request.unused_fields) == ("flux", ("model",))
    assert gateway.call("GET", "/v1/models?limit=1").json()["not_honoured"] == ["limit"]
    assert gateway.call("GET", "/v1/models/flux?limit=1").json()["not_honoured"] == ["limit"]
    assert "not_honoured" not in gateway.call("GET", "/v1/models?api-version=1").json()
    for path, said in (
        ("chat/completions", {"messages": [{"role": "user", "content": "a cat"}]}),
        ("responses", {"input": "a cat"}),
    ):
        answer = gateway.call(
            "POST", f"/v1/{path}?n=2&api-version=1", {"model": "flux", **said}, prefer="respond-async"
        )
        kept = gateway.store.get(answer.json()["id"])
        assert kept
        assert (kept.request.n, kept.request.unused_fields) == (1, ("n",))


@pytest.mark.parametrize("parameter", ["", "; charset=utf-8"])
def test_a9_a_url_encoded_form_is_read(gateway: Gateway, parameter: str) -> None:
    kind = f"application/x-www-form-urlencoded{parameter}"
    answer = post(gateway, b"prompt=a+cat&n=2&size=&model=flux", content_type=kind)
    request = accepted(gateway, answer).request
    assert (request.prompt, request.n, request.size) == ("a cat", 2, None)
    assert accepted(gateway, post(gateway, b'{"prompt": "a=cat"}', content_type=kind)).request.prompt == "a=cat"
    for refused in (b"prompt=a&prompt=b", b"prompt=%ff", b"prompt", b"a%00=1&prompt=x", b"&".join([b"a=1"] * 101)):
        assert post(gateway, refused, content_type=kind).status == 400


def test_a12_a_form_without_a_boundary_is_told_so(gateway: Gateway) -> None:
    message = post(gateway, b"{}", EDITS, content_type="multipart/form-data").json()["error"]["message"]
    assert "names no boundary. Let the HTTP client set Content-Type itself." in message
