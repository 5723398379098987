"""The servers of docs/protocols/openai-compatible.md: what their stand-ins answer, and how often they are asked."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.providers import registry
from support.fakes import NoSecrets, picture

Submissions = Callable[[], list[dict[str, object]]]

MODELS = {
    "xai": "grok-imagine-image",
    "azure-openai": "gpt-image-2",
    "azure-mai": "MAI-Image-2.6",
    "recraft": "recraftv4_1",
    "deepinfra": "black-forest-labs/FLUX-2-klein-4b",
    "pollinations": "flux",
}
EVERY = pytest.mark.parametrize("provider", MODELS)


@pytest.fixture(scope="module")
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture
def providers(stand_ins: str, http: HttpUpstream, client: object) -> registry.Providers:
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)


def upstream_request(provider: str, prompt: str = "a fox", count: int = 1, size: Size | None = None) -> UpstreamRequest:
    return UpstreamRequest(
        request=ImageRequest(model="m", messages=(Message(prompt),), size=size), model=MODELS[provider], count=count
    )


def submit(providers: registry.Providers, provider: str, prompt: str) -> Ready:
    ready = providers(provider).submit(upstream_request(provider, prompt))
    assert isinstance(ready, Ready)
    return ready


def refused(providers: registry.Providers, provider: str, prompt: str) -> FailureCode:
    with pytest.raises(UpstreamError) as raised:
        submit(providers, provider, prompt)
    return raised.value.failure.code


@pytest.mark.slow
@EVERY
def test_a_size_is_made_as_the_limits_tell(providers: registry.Providers, provider: str) -> None:
    limits = providers(provider).limits
    for wanted in (Size(1920, 1080), Size(300, 900), Size(1024, 1024)):
        request = upstream_request(provider, size=wanted)
        ready = providers(provider).submit(request)
        assert isinstance(ready, Ready)
        made = Image.open(io.BytesIO(ready.bodies[0])).size
        assert Size(*made) == limits.size_for(request.request), wanted


@EVERY
def test_several_pictures_come_where_the_server_takes_n(providers: registry.Providers, provider: str) -> None:
    wanted = min(2, providers(provider).limits.images_per_call)
    ready = providers(provider).submit(upstream_request(provider, count=wanted))
    assert isinstance(ready, Ready)
    assert len(ready.bodies) == wanted


@EVERY
def test_credit_that_is_used_up_has_its_code(providers: registry.Providers, provider: str) -> None:
    assert refused(providers, provider, "[fault quota] a fox") is FailureCode.NO_CREDIT


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize(
    ("fault", "accepted"), [("http-503", 0), ("http-429", 0), ("drop", 1), ("accepted-then-hang", 1)]
)
def test_one_submission_is_one_post(
    stand_ins: str, providers: registry.Providers, submissions: Submissions, provider: str, fault: str, accepted: int
) -> None:
    patient = providers(provider)
    patient._config = replace(patient._config, timeout=1.0)  # type: ignore[attr-defined]
    refused(providers, provider, f"[fault {fault}] a fox")
    assert len(submissions()) == accepted
    calls = httpx.get(f"{stand_ins}/_standin/calls", params={"prompt": f"[fault {fault}] a fox", "stage": "submit"})
    assert calls.json() == {"count": 1}


def test_xai_says_what_it_charges(providers: registry.Providers) -> None:
    assert submit(providers, "xai", "a fox").micro_dollars == 20_000


@pytest.mark.parametrize("count", [1, 3])
def test_xai_edits_pictures_that_come_as_json(
    providers: registry.Providers, submissions: Submissions, count: int
) -> None:
    inputs = tuple(InputBody(picture(), "image/png") for _ in range(count))
    edit = replace(upstream_request("xai", "a hat for the fox"), inputs=inputs)
    ready = providers("xai").submit(edit)
    assert isinstance(ready, Ready)
    assert len(ready.bodies) == len(submissions()) == 1


def test_what_xai_and_azure_do_not_know_is_refused(client: httpx.Client) -> None:
    asked = {"model": "grok-imagine-image", "prompt": "a fox"}
    url = "/xai/v1/images/generations"
    assert client.post(url, json=asked | {"size": "1024x1024"}).status_code == 400
    assert client.post(url, json=asked | {"seed": 1}).status_code == 422
    assert client.post(url, json=asked | {"quality": "high"}).status_code == 400
    url = "/azure-openai/openai/v1/images/generations"
    assert client.post(url, json=asked | {"response_format": "b64_json"}).status_code == 400
    url = "/azure-mai/mai/v1/images/generations"
    for size in ({"width": 512, "height": 1024}, {"width": 1376, "height": 1376}):
        assert client.post(url, json=asked | size).status_code == 400
    assert client.post("/recraft/v1/images/generations", json=asked | {"size": "1000x1000"}).status_code == 400


def test_azure_takes_its_key_in_a_header_of_its_own(stand_ins: str) -> None:
    url, asked = f"{stand_ins}/azure-openai/openai/v1/images/generations", {"model": "m", "prompt": "a fox"}
    assert httpx.post(url, json=asked, headers={"api-key": "any"}).status_code == 200
    assert httpx.post(url, json=asked).status_code == 401
