"""What servers that speak OpenAI's Images API are sent, each in its own flavour.

Contracts: docs/protocols/openai-images.md, docs/protocols/providers.md#openai, docs/protocols/providers.md#together,
docs/protocols/yandexart.md#ai-studio. Answers: test_openai_answers.py.
"""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpRequest, HttpResponse
from imagegate.providers import registry
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.openai_images import OpenAIImages
from support.fakes import NoSecrets, ScriptedHttp

SECRETS = {"OPENAI_API_KEY": "sk-x", "TOGETHER_API_KEY": "tk-x\n", "YC_API_KEY": "AQVN", "YC_FOLDER_ID": "b1g"}
PIXEL = base64.b64encode(b"\x89PNG...").decode()
PNG = InputBody(b"one", "image/png")
WEBP = InputBody(b"two", "image/webp")


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(document).encode())


DONE = answer({"created": 1, "data": [{"b64_json": PIXEL}]})


def request(prompt: str = "a cat", **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="any", messages=(Message(prompt),)), **changes)


def sent(provider: str, upstream_request: UpstreamRequest, secrets: dict[str, str] | None = None) -> HttpRequest:
    """What the provider of models.toml puts on the wire."""
    http = ScriptedHttp([DONE])
    registry.Providers(http, NoSecrets(SECRETS if secrets is None else secrets), {})(provider).submit(upstream_request)
    return http.requests[0]


def test_private_requests_say_so_where_the_server_has_a_header() -> None:
    private, other = request(private=True), request()
    assert (
        sent("yandex-ai-studio", UpstreamRequest(request=private, model="a")).headers["x-data-logging-enabled"]
        == "false"
    )
    assert "x-data-logging-enabled" not in sent("yandex-ai-studio", UpstreamRequest(request=other, model="a")).headers
    assert "x-data-logging-enabled" not in sent("openai", UpstreamRequest(request=private, model="a")).headers


def test_openai_gets_what_gpt_image_takes_and_nothing_else() -> None:
    requests = request(
        size=Size(1000, 770), seed=5, steps=3, style="vivid", quality="hd", background="opaque", moderation="low",
        output_format="webp", output_compression=80, negative_prompt="dogs",
    )  # fmt: skip
    wire = sent("openai", UpstreamRequest(request=requests, model="gpt-image-2", idempotency_key="k1"))
    assert (wire.method, wire.url) == ("POST", "https://api.openai.com/v1/images/generations")
    assert wire.headers == {"authorization": "Bearer sk-x", "idempotency-key": "k1"}
    assert wire.timeout == 240
    assert wire.json == {
        "model": "gpt-image-2",
        "prompt": "a cat",
        "size": "992x768",
        "quality": "high",
        "background": "opaque",
        "moderation": "low",
        "output_format": "webp",
        "output_compression": 80,
    }


NEW_FIELDS: dict[str, Any] = {
    "complexity": "high", "frame_count": 4, "frame_duration_ms": 80, "svg": {"model": "m"}, "prompt_rewriter": False
}  # fmt: skip


def test_openais_newest_fields_are_passed_through_in_json_and_in_forms() -> None:
    wire = sent("openai", UpstreamRequest(request=request(**NEW_FIELDS), model="gpt-image-2.6-flare")).json
    assert {name: wire[name] for name in NEW_FIELDS} == NEW_FIELDS
    form = sent(
        "openai", UpstreamRequest(request=request(**NEW_FIELDS), model="gpt-image-2.6-flare", inputs=(PNG,))
    ).form
    texts = {"frame_count": "4", "frame_duration_ms": "80", "svg": '{"model": "m"}', "prompt_rewriter": "false"}
    assert {name: form[name] for name in texts} == texts


def test_openai_chooses_what_the_caller_left_out() -> None:
    assert sent("openai", UpstreamRequest(request=request(), model="gpt-image-2")).json == {
        "model": "gpt-image-2",
        "prompt": "a cat",
    }


@pytest.mark.parametrize(("said", "wire"), [("standard", "auto"), ("hd", "high"), ("low", "low"), ("max", "max")])
def test_the_old_values_of_quality_are_translated(said: str, wire: str) -> None:
    assert sent("openai", UpstreamRequest(request=request(quality=said), model="gpt-image-2")).json["quality"] == wire


def test_a_png_is_not_compressed() -> None:
    assert (
        "output_compression"
        not in sent("openai", UpstreamRequest(request=request(output_compression=50), model="gpt-image-2")).json
    )


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"size": Size(1792, 1024)}, "7x4"),
        ({"size": Size(1024, 1024)}, "1x1"),
        ({"ratio": (32, 18)}, "16x9"),
        ({"ratio": (10**18, 1)}, "16x1"),
        ({}, "1x1"),
    ],
)
def test_yandex_gets_a_shape_and_the_folder(changes: dict[str, Any], size: str) -> None:
    requests = request(seed=5, quality="high", output_format="jpeg", **changes)
    wire = sent("yandex-ai-studio", UpstreamRequest(request=requests, model="aliceai-image-art-3.0", count=3))
    assert wire.url == "https://ai.api.cloud.yandex.net/v1/images/generations"
    assert wire.headers == {"authorization": "Api-Key AQVN", "OpenAI-Project": "b1g"}
    assert wire.json == {"model": "art://b1g/aliceai-image-art-3.0", "prompt": "a cat", "size": size}


def test_yandex_takes_a_token_where_there_is_no_key_and_a_whole_model_uri() -> None:
    secrets = {"YC_IAM_TOKEN": "t1.x", "YC_FOLDER_ID": "b1g"}
    wire = sent("yandex-ai-studio", UpstreamRequest(request=request(), model="art://other/tuned"), secrets)
    assert wire.headers["authorization"] == "Bearer t1.x"
    assert wire.json["model"] == "art://other/tuned"


def test_together_has_fields_of_its_own() -> None:
    requests = request(size=Size(1000, 770), seed=7, steps=4, negative_prompt="dogs", guidance=3.0)
    wire = sent("together", UpstreamRequest(request=requests, model="black-forest-labs/FLUX.1-schnell"))
    assert wire.headers == {"authorization": "Bearer tk-x"}
    assert wire.json == {
        "model": "black-forest-labs/FLUX.1-schnell",
        "prompt": "a cat",
        "width": 992,
        "height": 768,
        "seed": 7,
        "steps": 4,
        "negative_prompt": "dogs",
        "response_format": "base64",
    }


@pytest.mark.parametrize(
    ("provider", "changes", "count", "n"),
    [
        ("openai", {}, 1, None),
        ("openai", {}, 3, 3),
        ("openai", {}, 9, 4),
        ("openai", {"size": Size(2048, 2048)}, 4, 2),
        ("openai", {"size": Size(3840, 2160)}, 4, None),
        ("together", {}, 4, 4),
        ("together", {"seed": 5}, 4, None),
    ],
)
def test_as_many_at_once_as_fit_into_one_answer(
    provider: str, changes: dict[str, Any], count: int, n: int | None
) -> None:
    assert sent(provider, UpstreamRequest(request=request(**changes), model="m", count=count)).json.get("n") == n


LOCAL = OpenAICompatConfig(takes=("seed", "steps", "guidance"), variations=True, input_images=1)


def local(http: ScriptedHttp, config: OpenAICompatConfig = LOCAL) -> OpenAIImages:
    return OpenAIImages("local", "http://10.0.0.1:8080/v1", http, NoSecrets(), config)


def test_a_server_without_keys_gets_none_and_the_usual_names() -> None:
    http = ScriptedHttp([DONE])
    local(http).submit(UpstreamRequest(request=request(steps=8, guidance=3.5), model="flux"))
    [wire] = http.requests
    assert wire.headers == {}
    assert wire.json == {
        "model": "flux",
        "prompt": "a cat",
        "size": "1024x1024",
        "num_inference_steps": 8,
        "guidance_scale": 3.5,
        "response_format": "b64_json",
    }


@pytest.mark.parametrize("model", ["gpt-image-1.5", "chatgpt-image-latest"])
def test_gpt_image_never_hears_of_response_formats(model: str) -> None:
    http = ScriptedHttp([DONE])
    local(http).submit(UpstreamRequest(request=request(), model=model))
    assert "response_format" not in http.requests[0].json


def test_an_edit_is_a_form() -> None:
    requests = request(size=Size(1024, 1024), quality="low", moderation="low")
    wire = sent("openai", UpstreamRequest(request=requests, model="gpt-image-2", count=2, inputs=(PNG, WEBP), mask=PNG))
    assert wire.url == "https://api.openai.com/v1/images/edits"
    assert wire.json is None
    assert wire.form == {"model": "gpt-image-2", "prompt": "a cat", "size": "1024x1024", "n": "2", "quality": "low"}
    assert wire.files == [("image[]", PNG), ("image[]", WEBP), ("mask", PNG)]


def test_a_single_picture_has_the_name_that_every_server_knows() -> None:
    assert sent("openai", UpstreamRequest(request=request(), model="gpt-image-2", inputs=(PNG,))).files == [
        ("image", PNG)
    ]


def test_a_variation_has_no_prompt() -> None:
    http = ScriptedHttp([DONE])
    local(http).submit(UpstreamRequest(request=request("", size=Size(512, 512)), model="m", inputs=(PNG,)))
    [wire] = http.requests
    assert wire.url == "http://10.0.0.1:8080/v1/images/variations"
    assert wire.form == {"model": "m", "size": "512x512", "response_format": "b64_json"}


@pytest.mark.parametrize(
    ("config", "prompt", "inputs"),
    [
        (OpenAICompatConfig(), "a hat", (PNG,)),
        (LOCAL, "a hat", (PNG, PNG)),
        (replace(LOCAL, variations=False), "", (PNG,)),
        (LOCAL, "", (PNG, PNG)),
    ],
)
def test_a_road_the_server_has_not_is_left_to_others(config: OpenAICompatConfig, prompt: str, inputs: Any) -> None:
    http = ScriptedHttp()
    with pytest.raises(UpstreamError) as caught:
        local(http, config).submit(UpstreamRequest(request=request(prompt), model="m", inputs=inputs))
    assert caught.value.failure.code is FailureCode.NOT_FOUND
    assert not caught.value.failure.final
    assert not http.requests


@pytest.mark.parametrize(
    ("provider", "secrets", "named"),
    [
        ("openai", {}, "imagegate secrets set OPENAI_API_KEY"),
        ("openai", {"OPENAI_API_KEY": " \n"}, "imagegate secrets set OPENAI_API_KEY"),
        ("yandex-ai-studio", {"YC_FOLDER_ID": "b1g"}, "imagegate secrets set YC_API_KEY (or YC_IAM_TOKEN)"),
        ("yandex-ai-studio", {"YC_API_KEY": "x"}, "imagegate secrets set YC_FOLDER_ID"),
    ],
)
def test_a_missing_key_is_named_to_the_operator_and_nothing_is_sent(
    provider: str, secrets: dict[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    http = ScriptedHttp()
    with pytest.raises(UpstreamError) as caught:
        registry.Providers(http, NoSecrets(secrets), {})(provider).submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is FailureCode.AUTH
    assert caught.value.failure.message == f"{provider} is not available here."
    assert caplog.messages == [f"{provider} has no key set: {named}"]
    assert not caught.value.failure.final
    assert not http.requests


def test_the_seed_is_reported_only_where_it_was_honoured() -> None:
    sent = UpstreamRequest(request=request(seed=7), model="m")
    assert local(ScriptedHttp([DONE])).submit(sent).seed == 7
    assert local(ScriptedHttp([DONE]), OpenAICompatConfig()).submit(sent).seed is None


def test_a_task_cannot_be_stopped() -> None:
    http = ScriptedHttp()
    local(http).cancel(Ticket({"path": "/v1/tasks/1", "seed": None}))
    assert http.requests == []


def test_xai_gets_an_aspect_ratio_and_no_size() -> None:
    secrets = {"XAI_API_KEY": "xai-x"}
    wide = sent("xai", UpstreamRequest(request=request(size=Size(1920, 1080), seed=1), model="grok", count=2), secrets)
    assert wide.json == {
        "model": "grok",
        "prompt": "a cat",
        "n": 2,
        "aspect_ratio": "16:9",
        "resolution": "1k",
        "response_format": "b64_json",
    }
    assert "aspect_ratio" not in sent("xai", UpstreamRequest(request=request(), model="grok"), secrets).json


def test_xai_gets_pictures_as_json() -> None:
    secrets, reference = {"XAI_API_KEY": "xai-x"}, {"url": "data:image/png;base64,b25l", "type": "image_url"}
    edit = sent("xai", UpstreamRequest(request=request(), model="grok", inputs=(PNG,)), secrets)
    assert (edit.url, edit.json["image"]) == ("https://api.x.ai/v1/images/edits", reference)
    several = sent("xai", UpstreamRequest(request=request(), model="grok", inputs=(PNG, PNG)), secrets)
    assert several.json["images"] == [reference, reference]


@pytest.mark.parametrize(
    "endpoint", ["https://r.openai.azure.com", "https://r.openai.azure.com/", "r.openai.azure.com"]
)
def test_azure_is_found_at_the_resources_own_endpoint(endpoint: str) -> None:
    secrets = {"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": "k"}
    call = sent("azure-openai", UpstreamRequest(request=request(), model="my-deployment"), secrets)
    assert call.url == "https://r.openai.azure.com/openai/v1/images/generations"
    assert call.headers == {"api-key": "k"}
    assert call.json == {"model": "my-deployment", "prompt": "a cat"}


def test_azure_without_an_endpoint_is_not_available() -> None:
    with pytest.raises(UpstreamError, match="azure-openai is not available here"):
        sent("azure-openai", UpstreamRequest(request=request(), model="m"), {"AZURE_OPENAI_API_KEY": "k"})


def test_azures_own_models_get_sides_and_a_version() -> None:
    secrets = {"AZURE_AI_ENDPOINT": "https://r.services.ai.azure.com", "AZURE_AI_API_KEY": "k"}
    call = sent("azure-mai", UpstreamRequest(request=request(size=Size(1000, 500)), model="MAI-Image-2.6"), secrets)
    assert call.url == "https://r.services.ai.azure.com/mai/v1/images/generations?api-version=preview"
    assert call.json == {"model": "MAI-Image-2.6", "prompt": "a cat", "width": 1376, "height": 768}


def test_recraft_gets_an_aspect_ratio_for_a_size() -> None:
    call = sent(
        "recraft", UpstreamRequest(request=request(size=Size(1000, 560)), model="v"), {"RECRAFT_API_TOKEN": "t"}
    )
    assert call.json == {"model": "v", "prompt": "a cat", "size": "16:9", "response_format": "b64_json"}


def test_a_server_that_refuses_response_format_is_asked_again_without_it() -> None:
    refusal = HttpResponse(400, {}, b'{"error": {"message": "Unknown parameter: response_format"}}')
    http = ScriptedHttp([refusal, DONE, DONE])
    provider = local(http)
    assert provider.submit(UpstreamRequest(request=request(), model="m")).bodies
    assert provider.submit(UpstreamRequest(request=request(), model="m")).bodies
    assert ["response_format" in entry.json for entry in http.requests] == [True, False, False]


def test_another_refusal_is_not_asked_again() -> None:
    http = ScriptedHttp([HttpResponse(400, {}, b'{"error": {"message": "Unknown parameter: size"}}')])
    with pytest.raises(UpstreamError):
        local(http).submit(UpstreamRequest(request=request(size=Size(512, 512)), model="m"))
    assert len(http.requests) == 1


def test_a_size_that_the_caller_did_not_ask_for_is_left_out_if_the_server_refuses_it() -> None:
    http = ScriptedHttp([HttpResponse(422, {}, b'{"detail": "unknown field `size`"}'), DONE, DONE])
    provider = local(http)
    assert provider.submit(UpstreamRequest(request=request(), model="m")).bodies  # type: ignore[union-attr]
    assert provider.submit(UpstreamRequest(request=request(size=Size(512, 512)), model="m")).bodies  # type: ignore[union-attr]
    assert [entry.json.get("size") for entry in http.requests] == ["1024x1024", None, "512x512"]
