"""Partial pictures of OpenAI's and Azure's stand-ins, and streams that go wrong."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.openai_images import OpenAIImages
from support.fakes import NoSecrets, picture

Submissions = Callable[[], list[dict[str, object]]]


@dataclass
class Partials:
    """Takes partial pictures."""

    indices: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, index: int, body: bytes) -> None:
        self.indices.append(index)
        self.bodies.append(body)


@pytest.fixture(scope="module")
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream.close()


@pytest.fixture
def providers(stand_ins: str, http: HttpUpstream, client: object) -> registry.Providers:
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)


def order(prompt: str, partials: Partials, count: int = 1, inputs: tuple[InputBody, ...] = ()) -> UpstreamRequest:
    request = ImageRequest(
        model="any", messages=(Message(prompt),), size=Size(1024, 768), partial_images=2, output_format="webp"
    )
    return UpstreamRequest(request=request, model="gpt-image-2", count=count, inputs=inputs, on_partial=partials)


def size_of(body: bytes) -> tuple[int, int, str | None]:
    with Image.open(io.BytesIO(body)) as opened:
        opened.load()
        return (*opened.size, opened.format)


@pytest.mark.parametrize("provider", ["openai", "azure-openai"])
def test_partial_pictures_come_before_the_picture(
    providers: registry.Providers, provider: str, submissions: Submissions
) -> None:
    partials = Partials()
    ready = providers(provider).submit(order("a fox", partials))
    assert isinstance(ready, Ready)
    assert partials.indices == [0, 1]
    assert {size_of(body) for body in (*partials.bodies, *ready.bodies)} == {(1024, 768, "WEBP")}
    assert len({*partials.bodies, *ready.bodies}) == 3
    assert ready.usage
    assert ready.usage.output_tokens == 1200
    assert len(submissions()) == 1


def test_several_pictures_and_an_edit(providers: registry.Providers) -> None:
    partials = Partials()
    several = providers("openai").submit(order("a fox", partials, count=2))
    edit = order("make it winter", partials, inputs=(InputBody(picture(), "image/png"),))
    edited = providers("openai").submit(edit)
    assert isinstance(several, Ready)
    assert isinstance(edited, Ready)
    assert (len(several.bodies), len(edited.bodies), partials.indices) == (2, 1, [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("fault", "code", "partials"),
    [
        ("drop", FailureCode.AMBIGUOUS, 1),
        ("error", FailureCode.BAD_PAYLOAD, 2),
        ("refuse-late", FailureCode.CONTENT_FILTERED, 2),
        ("no-image", FailureCode.BAD_PAYLOAD, 2),
        ("refuse", FailureCode.CONTENT_FILTERED, 0),
        ("http-429", FailureCode.RATE_LIMITED, 0),
    ],
)
def test_a_stream_that_goes_wrong(providers: registry.Providers, fault: str, code: FailureCode, partials: int) -> None:
    told = Partials()
    with pytest.raises(UpstreamError) as raised:
        providers("openai").submit(order(f"[fault {fault}] a fox", told))
    assert (raised.value.failure.code, len(told.bodies)) == (code, partials)


def test_a_partial_picture_that_is_no_base64_is_left_out(providers: registry.Providers) -> None:
    partials = Partials()
    ready = providers("openai").submit(order("[fault bad-partial] a fox", partials))
    assert isinstance(ready, Ready)
    assert (len(ready.bodies), partials.bodies) == (1, [])


@pytest.mark.slow
def test_a_stream_that_does_not_end_is_given_up(stand_ins: str, http: HttpUpstream) -> None:
    config = OpenAICompatConfig(keys={"OPENAI_API_KEY": "Bearer"}, takes=("partial_images",), timeout=5.0)
    provider = OpenAIImages("openai", f"{stand_ins}{BASE_PATHS['openai']}", http, NoSecrets(STAND_IN_SECRETS), config)
    told = Partials()
    with pytest.raises(UpstreamError) as raised:
        provider.submit(order("[fault accepted-then-hang] a fox", told))
    assert (raised.value.failure.code, len(told.bodies)) == (FailureCode.AMBIGUOUS, 1)
