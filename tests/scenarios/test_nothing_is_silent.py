"""Every field of a request, with every model: done, sent to the provider, refused, or named in `not_honoured`."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from imagegate.dialects.openai.bodies import EditsBody, VariationsBody
from imagegate.dialects.operations.requests import CreateBody
from imagegate.dialects.yandexart.requests import GenerationBody, GenerationOptions
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.request.capabilities import ignored
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Target
from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpRequest, HttpResponse, ServerSentEvent
from imagegate.providers import registry
from support.fakes import NoSecrets
from support.gateway import Gateway

pytestmark = pytest.mark.slow

MODELS = [route.model for route in registry.routes()]
WEBHOOK = {"url": "https://example.com/hook", "secret": "whsec_" + "QUFB" * 8}
BY_PROVIDERS: Mapping[str, tuple[Any, str]] = {
    # the field, a telling value, and its name in the domain
    "size": ("1088x704", "size"),
    "aspect_ratio": ("16:9", "aspect_ratio"),
    "seed": (424_242, "seed"),
    "num_inference_steps": (3, "steps"),
    "guidance_scale": (3.25, "guidance"),
    "negative_prompt": ("a fogbank", "negative_prompt"),
    "quality": ("high", "quality"),
    "style": ("vivid", "style"),
    "background": ("transparent", "background"),
    "moderation": ("low", "moderation"),
    "complexity": ("low", "complexity"),
    "input_fidelity": ("high", "input_fidelity"),
    "frame_count": (13, "frame_count"),
    "frame_duration_ms": (333, "frame_duration_ms"),
    "svg": ({"model": "engraver"}, "svg"),
    "prompt_rewriter": ("terse", "prompt_rewriter"),
    "partial_images": (3, "partial_images"),
}
BY_THE_GATEWAY: Mapping[str, tuple[Any, str]] = {
    # the field, a telling value, and what it changes of the operation
    "prompt": ("a dog", "request"),
    "model": ("flux-schnell", "request"),
    "n": (3, "request"),
    "output_format": ("jpeg", "request"),
    "response_format": ("url", "reply"),
    "stream": (True, "reply"),
    "user": ("me", "reply"),
    "safety_identifier": ("me", "reply"),
    "deadline": (77, "deadline"),
    "webhook": (WEBHOOK, "webhook"),
    "expand": (True, "request"),
    "provider": (None, "request"),
}
TOGETHER = {"width", "height", "output_compression"}
"""Fields that need others; they have tests of their own."""


@dataclass
class Recorder:
    """An upstream that takes every step before a submission, and then keeps what it was sent."""

    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        body = {"access_token": "t", "expires_in": 3600, "expires_at": 4e12, "api_prefix": "/call", "event_id": "e"}
        return HttpResponse(200, {"content-type": "application/json"}, json.dumps(body).encode())

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        self.sent.append(request)
        yield from ()

    def download(self, url: str, trusted_base: str) -> bytes:
        return b""


@cache
def shared_gateway() -> Gateway:
    """One for all tests, which only read what they have started."""
    return Gateway(routes=registry.routes())


def accepted(model: str, /, **fields: Any) -> tuple[Operation | None, str | None]:
    """The operation, or the field for which the request was refused."""
    gateway = shared_gateway()
    body = {"model": model, "prompt": "a cat"} | fields
    answer = gateway.call("POST", "/v1/images/generations", body, prefer="respond-async")
    if answer.status != 202:
        return None, answer.json()["error"]["param"]
    return gateway.store.get(answer.json()["id"]), None


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for entry in value:
            yield from leaves(entry)
    else:
        yield str(value)


def sent_to(target: Target, request: ImageRequest) -> list[str]:
    """Everything that the provider is sent for the request."""
    recorder = Recorder()
    provider = registry.Providers(recorder, NoSecrets(STAND_IN_SECRETS), {})(target.provider)
    with contextlib.suppress(Exception):  # it is answered with nonsense once it has sent all
        provider.submit(UpstreamRequest(request=request, model=target.model, count=1))
    return [leaf for sent in recorder.sent for leaf in (sent.url, *leaves(sent.json), *leaves(sent.form))]


def is_sent(name: str, value: Any, target: Target, request: ImageRequest) -> bool:
    found = sent_to(target, request)
    if name not in ("size", "aspect_ratio"):
        telling = next(leaves(value))
        return any(leaf.lower() == telling or (isinstance(value, str) and value in leaf) for leaf in found)
    shape, plain = target.limits.size_for(request), replace(request, size=None, ratio=None)
    return found != sent_to(target, plain) or shape == target.limits.size_for(plain)


@pytest.mark.parametrize("name", BY_PROVIDERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_field_for_providers_is_sent_refused_or_named(model: str, name: str) -> None:
    value, domain_name = BY_PROVIDERS[name]
    operation, param = accepted(model, **{name: value})
    if operation is None:
        assert param == name
        return
    for target in registry.routes().resolve(operation.request).targets:
        told = ignored(operation.request, target.limits)
        assert {domain_name, name} & set(told) or is_sent(name, value, target, operation.request), (target, told)


@pytest.mark.parametrize("name", BY_THE_GATEWAY)
@pytest.mark.parametrize("model", MODELS)
def test_a_field_for_the_gateway_changes_the_operation(model: str, name: str) -> None:
    plain, _ = accepted(model, **({"response_format": "b64_json"} if name == "response_format" else {}))
    assert plain
    value, part = BY_THE_GATEWAY[name]
    value = registry.routes().resolve(plain.request).targets[-1].provider if name == "provider" else value
    operation, param = accepted(model, **{name: value})
    assert param is None
    assert operation
    assert getattr(operation, part) != getattr(plain, part)


def test_no_field_is_left_out() -> None:
    assert {*BY_PROVIDERS, *BY_THE_GATEWAY, *TOGETHER} == set(EditsBody.model_fields)
    assert set(VariationsBody.model_fields) <= set(EditsBody.model_fields)
    assert set(OPERATIONS_FIELDS) == set(CreateBody.model_fields) - {"model", "output_compression", "validate_only"}
    assert set(GenerationBody.model_fields) == {"model_uri", "messages", "generation_options"}
    assert set(GenerationOptions.model_fields) == {"mime_type", "seed", "aspect_ratio"}


OPERATIONS_FIELDS: Mapping[str, tuple[Any, str]] = {
    # the field, a telling value, and its name in the domain or the part of the operation that it changes
    "size": ("1088x704", "size"),
    "aspect_ratio": ("16:9", "aspect_ratio"),
    "seed": (424_242, "seed"),
    "steps": (3, "steps"),
    "guidance": (3.25, "guidance"),
    "negative_prompt": ("a fogbank", "negative_prompt"),
    "partial_images": (3, "partial_images"),
    "prompt": ("a dog", "request."),
    "n": (3, "request."),
    "output_format": ("jpeg", "request."),
    "expand": (True, "request."),
    "provider": (None, "request."),
    "deadline": (77, "deadline."),
    "metadata": ({"a": "b"}, "metadata."),
    "webhook": (WEBHOOK, "webhook."),
}


def started(path: str, body: Mapping[str, Any]) -> Operation | None:
    """The operation; none when the request was refused for one of its fields."""
    answer = shared_gateway().call("POST", path, body)
    if answer.status >= 400:
        assert answer.json().get("param") or answer.json().get("message")
        return None
    return shared_gateway().store.get(answer.json()["id"])


def is_honoured_or_named(operation: Operation, name: str, value: Any) -> bool:
    return all(
        name in ignored(operation.request, target.limits) or is_sent(name, value, target, operation.request)
        for target in registry.routes().resolve(operation.request).targets
    )


@pytest.mark.parametrize("name", OPERATIONS_FIELDS)
@pytest.mark.parametrize("model", MODELS)
def test_a_field_of_the_operations_api_is_done_sent_refused_or_named(model: str, name: str) -> None:
    body = {"model": model, "prompt": "a cat"}
    plain = started("/v1/operations", body)
    assert plain
    value, place = OPERATIONS_FIELDS[name]
    value = registry.routes().resolve(plain.request).targets[-1].provider if name == "provider" else value
    operation = started("/v1/operations", body | {name: value})
    if place.endswith("."):
        assert operation
        assert getattr(operation, place[:-1]) != getattr(plain, place[:-1])
    elif operation:
        assert is_honoured_or_named(operation, place, value)


def test_an_unknown_field_of_the_operations_api_is_refused() -> None:
    answer = shared_gateway().call("POST", "/v1/operations", {"model": "flux", "prompt": "a cat", "quality": "high"})
    assert (answer.status, answer.json()["param"]) == (400, "quality")


YANDEXART_OPTIONS: Mapping[str, tuple[Any, str]] = {
    "seed": (424_242, "seed"),
    "aspectRatio": ({"widthRatio": 16, "heightRatio": 9}, "aspect_ratio"),
    "mimeType": ("image/png", "reply."),
}


@pytest.mark.parametrize("name", YANDEXART_OPTIONS)
@pytest.mark.parametrize("model", MODELS)
def test_an_option_of_yandexart_is_done_sent_or_named(model: str, name: str) -> None:
    """Its answers name the picture's `mimeType` in a header whatever the model."""
    value, place = YANDEXART_OPTIONS[name]
    body = {"modelUri": f"art://folder/{model}/latest", "messages": [{"text": "a cat"}]}
    operation = started("/foundationModels/v1/imageGenerationAsync", body | {"generationOptions": {name: value}})
    assert operation
    if place == "reply.":
        assert operation.reply
    else:
        assert is_honoured_or_named(operation, place, value)


@pytest.mark.parametrize("model", MODELS)
def test_a_field_that_is_not_known_is_named(model: str) -> None:
    operation, _ = accepted(model, loras=[{"path": "x"}])
    assert operation
    for target in registry.routes().resolve(operation.request).targets:
        assert "loras" in ignored(operation.request, target.limits)


def test_an_unknown_field_of_yandexart_is_named_at_any_depth() -> None:
    body = {
        "modelUri": "art://folder/flux/latest",
        "messages": [{"text": "a cat", "role": "user"}, {"text": "a hat", "role": "user"}],
        "generationOptions": {"quality": "high", "aspectRatio": {"widthRatio": 1, "scale": 2}},
        "partialResults": True,
    }
    operation = started("/foundationModels/v1/imageGenerationAsync", body)
    assert operation
    assert operation.request.unused_fields == ("partialResults", "quality", "scale", "role")
