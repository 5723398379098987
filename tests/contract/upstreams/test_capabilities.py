"""What a provider says that it takes is what goes out, of every model on every route, and nothing else is."""

import base64
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import pytest

from contract.upstreams.error_rows import TOKEN
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.request.limits import Capability
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.request.route import Target
from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpRequest
from imagegate.providers import registry
from support.fakes import NoSecrets, ScriptedHttp

TARGETS = {(target.provider, target.model): target for route in registry.routes() for target in route.targets}
EVERY = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: f"{target.provider} {target.model}")
VALUES: dict[Capability, Any] = {
    "seed": 7,
    "steps": 3,
    "guidance": 4.5,
    "negative_prompt": "fog",
    "quality": "high",
    "style": "vivid",
    "background": "opaque",
    "moderation": "low",
    "complexity": 3,
    "input_fidelity": "high",
    "frame_count": 4,
    "frame_duration_ms": 120,
    "svg": {"precision": 2},
    "prompt_rewriter": True,
    "partial_images": 2,
}
PICTURE = InputBody(b"\x89PNG of a caller", "image/png")
END = UpstreamError(Failure(FailureCode.CAPACITY, "enough"))


def sent(target: Target, count: int = 1, inputs: int = 0, **changes: Any) -> HttpRequest:
    """The submission that goes out."""
    http = ScriptedHttp([*([TOKEN] if target.provider == "gigachat" else []), END])
    provider = registry.Providers(http, NoSecrets(STAND_IN_SECRETS), {})(target.provider)
    request = replace(ImageRequest(model="m", messages=(Message("a fox"),)), **changes)
    with suppress(UpstreamError):
        provider.submit(
            UpstreamRequest(
                request=request, model=target.model, count=count, inputs=(PICTURE,) * inputs, idempotency_key="k"
            )
        )
    return http.requests[-1]


def body_of(request: HttpRequest) -> str:
    """All of it that the caller's request may change."""
    return f"{request.url} {request.json} {request.form} {request.files}"


@pytest.fixture(autouse=True)
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds that a provider chooses are the same each time."""
    monkeypatch.setattr("secrets.randbelow", lambda most: 1)


def test_there_is_a_value_for_every_capability() -> None:
    assert set(VALUES) == set(get_args(Capability))


@EVERY
def test_what_is_honoured_goes_out_and_nothing_else(target: Target) -> None:
    plain = body_of(sent(target))
    changing = {name for name, value in VALUES.items() if body_of(sent(target, **{name: value})) != plain}
    assert changing == target.limits.capabilities
    assert (body_of(sent(target, count=2)) != plain) == (target.limits.images_per_call > 1)


@EVERY
def test_pictures_to_work_from_go_out_where_they_are_taken(target: Target) -> None:
    for inputs in {1, target.limits.input_images} - {0}:
        if inputs <= target.limits.input_images:
            shown = body_of(sent(target, inputs=inputs))
            texts = (base64.b64encode(PICTURE.body).decode(), str(PICTURE.body))
            assert max(map(shown.count, texts)) == inputs
