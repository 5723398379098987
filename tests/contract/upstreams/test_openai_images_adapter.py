"""The provider `openai_images`, as models.toml sets it up, on the stand-ins of the servers it is for."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.usage import Usage
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.providers import registry
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.openai_images import OpenAIImages
from support.fakes import NoSecrets, picture

Submissions = Callable[[], list[dict[str, object]]]

MODELS = {
    "openai": "gpt-image-2",
    "yandex-ai-studio": "aliceai-image-art-3.0",
    "together": "black-forest-labs/FLUX.1-schnell",
}
"""The providers, each with the model its route names."""

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


@pytest.fixture
def by_url(stand_ins: str, http: HttpUpstream) -> OpenAIImages:
    """OpenAI's stand-in as a server that answers with addresses."""
    return answering_by_url(stand_ins, http)


def answering_by_url(stand_ins: str, http: HttpUpstream, **given: float) -> OpenAIImages:
    keys = {"OPENAI_API_KEY": "Bearer"}
    config = replace(OpenAICompatConfig(keys=keys, response_format="url", input_images=1, variations=True), **given)
    return OpenAIImages("local", f"{stand_ins}{BASE_PATHS['openai']}", http, NoSecrets(STAND_IN_SECRETS), config)


def request(prompt: str = "a fox", **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="any", messages=(Message(prompt),), size=Size(1024, 1024)), **changes)


def submit(providers: registry.Providers, provider: str, prompt: str = "a fox", **changes: Any) -> Ready:
    ready = providers(provider).submit(
        UpstreamRequest(request=request(prompt, **changes), model=MODELS[provider], idempotency_key="k1")
    )
    assert isinstance(ready, Ready)
    return ready


def refused(providers: registry.Providers, provider: str, prompt: str) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        submit(providers, provider, prompt)
    return caught.value


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


@EVERY
@pytest.mark.parametrize("size", [Size(1024, 1024), Size(1000, 770), Size(1792, 1024), Size(300, 2000)], ids=str)
def test_a_picture_of_the_size_that_the_limits_promise(
    providers: registry.Providers, provider: str, size: Size
) -> None:
    [body] = submit(providers, provider, size=size).bodies
    promised = registry.limits_of(provider).size_for(request(size=size))
    assert opened(body).size == (promised.width, promised.height)


@EVERY
@pytest.mark.parametrize("ratio", [(16, 9), (2, 3), (4, 1)], ids=str)
def test_a_picture_of_the_ratio_that_the_limits_promise(
    providers: registry.Providers, provider: str, ratio: tuple[int, int]
) -> None:
    [body] = submit(providers, provider, size=None, ratio=ratio).bodies
    promised = registry.limits_of(provider).size_for(request(size=None, ratio=ratio))
    assert opened(body).size == (promised.width, promised.height)


@EVERY
def test_everything_at_once_is_no_reason_to_refuse(providers: registry.Providers, provider: str) -> None:
    everything = request(
        seed=7, steps=3, guidance=2.0, negative_prompt="dogs", output_format="webp", output_compression=80,
        quality="hd", style="vivid", background="opaque", moderation="low",
    )  # fmt: skip
    ready = providers(provider).submit(UpstreamRequest(request=everything, model=MODELS[provider], count=3))
    assert isinstance(ready, Ready)
    assert ready.bodies


@EVERY
def test_one_submission_is_one_picture_paid_for(
    providers: registry.Providers, provider: str, submissions: Submissions
) -> None:
    submit(providers, provider)
    [only] = submissions()
    assert (only["upstream"], only["prompt"], only["idempotency_key"]) == (provider, "a fox", "k1")


def test_several_at_once_where_the_server_can(providers: registry.Providers, submissions: Submissions) -> None:
    ready = providers("openai").submit(UpstreamRequest(request=request(), model="gpt-image-2", count=3))
    assert isinstance(ready, Ready)
    assert len(set(ready.bodies)) == 3
    assert len(submissions()) == 1


def test_tokens_are_reported_where_the_upstream_counts_them(providers: registry.Providers) -> None:
    ready = providers("openai").submit(UpstreamRequest(request=request("a red fox"), model="gpt-image-2", count=3))
    assert isinstance(ready, Ready)
    assert ready.usage == Usage(input_tokens=3, output_tokens=3000, total_tokens=3003, input_text_tokens=3)
    assert submit(providers, "yandex-ai-studio").usage == Usage(
        input_tokens=2, output_tokens=1000, total_tokens=1002, input_text_tokens=2
    )
    assert submit(providers, "together").usage is None


def test_a_rewritten_prompt_is_reported(by_url: OpenAIImages) -> None:
    assert by_url.submit(UpstreamRequest(request=request("a fox"), model="dall-e-3")).revised_prompts == (
        "a fox, drawn by a stand-in",
    )
    assert by_url.submit(UpstreamRequest(request=request("a fox"), model="dall-e-2")).revised_prompts == ()


def test_the_seed_reaches_those_who_take_one(providers: registry.Providers) -> None:
    first, again, other = (submit(providers, "together", seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert (first.seed, other.seed) == (5, 6)
    assert first.bodies != other.bodies


@pytest.mark.parametrize(("wanted", "found"), [(None, "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG")])
def test_formats_of_openai(providers: registry.Providers, wanted: str | None, found: str) -> None:
    [body] = submit(providers, "openai", output_format=wanted, output_compression=90).bodies
    assert opened(body).format == found


@pytest.mark.parametrize(
    ("fault", "code", "retry_after"),
    [
        ("http-429", FailureCode.RATE_LIMITED, None),
        ("http-429-retry-after", FailureCode.RATE_LIMITED, 2),
        ("http-500", FailureCode.UPSTREAM_FAILED, None),
        ("http-503", FailureCode.CAPACITY, None),
        ("html", FailureCode.BAD_PAYLOAD, None),
        ("html-502", FailureCode.UPSTREAM_FAILED, None),
        ("drop", FailureCode.AMBIGUOUS, None),
        ("refuse", FailureCode.CONTENT_FILTERED, None),
        ("refuse-late", FailureCode.CONTENT_FILTERED, None),
        ("error", FailureCode.UPSTREAM_FAILED, None),
        ("no-image", FailureCode.BAD_PAYLOAD, None),
        ("nonsense", FailureCode.INVALID_REQUEST, None),
    ],
)
@EVERY
def test_every_fault_has_its_name(
    providers: registry.Providers, provider: str, fault: str, code: FailureCode, retry_after: float | None
) -> None:
    failure = refused(providers, provider, f"[fault {fault}] a fox").failure
    assert (failure.code, failure.retry_after) == (code, retry_after)


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        ("openai", FailureCode.NO_CREDIT),
        ("yandex-ai-studio", FailureCode.RATE_LIMITED),
        ("together", FailureCode.NO_CREDIT),
    ],
)
def test_a_quota_used_up_is_what_each_server_means_by_it(
    providers: registry.Providers, provider: str, code: FailureCode
) -> None:
    assert refused(providers, provider, "[fault quota] a fox").failure.code is code


@pytest.mark.parametrize(("fault", "accepted"), [("hang", 0), ("accepted-then-hang", 1)])
def test_silence_leaves_it_open_whether_the_picture_is_paid_for(
    stand_ins: str, http: HttpUpstream, fault: str, accepted: int, submissions: Submissions
) -> None:
    submissions()
    hurried = answering_by_url(stand_ins, http, timeout=1.0)
    with pytest.raises(UpstreamError) as caught:
        hurried.submit(UpstreamRequest(request=request(f"[fault {fault}] a fox"), model="m"))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert len(submissions()) == accepted


def test_a_wrong_model_uri_is_no_fault_of_the_caller(providers: registry.Providers) -> None:
    for model, code in (
        ("art://folder", FailureCode.NOT_FOUND),
        ("art://folder/yandex-art/latest", FailureCode.AUTH),
    ):
        with pytest.raises(UpstreamError) as caught:
            providers("yandex-ai-studio").submit(UpstreamRequest(request=request(), model=model))
        assert caught.value.failure.code is code
        assert not caught.value.failure.final


def test_a_prompt_longer_than_yandex_takes(providers: registry.Providers) -> None:
    assert refused(providers, "yandex-ai-studio", "x" * 501).failure.code is FailureCode.INVALID_REQUEST


def test_an_address_is_fetched_without_the_key(by_url: OpenAIImages, http: HttpUpstream) -> None:
    ready = by_url.submit(UpstreamRequest(request=request(), model="flux"))
    [source] = ready.sources
    assert source.url.startswith(by_url.base_url.removesuffix("/v1"))
    assert opened(http.download(source.url, by_url.base_url)).size == (1024, 1024)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("expired-url", FailureCode.EXPIRED),
        ("redirect-private", FailureCode.BAD_PAYLOAD),
        ("http-503 at fetch", FailureCode.UPSTREAM_FAILED),
    ],
)
def test_an_address_that_leads_nowhere(by_url: OpenAIImages, http: HttpUpstream, fault: str, code: FailureCode) -> None:
    [source] = by_url.submit(UpstreamRequest(request=request(f"[fault {fault}] a fox"), model="flux")).sources
    with pytest.raises(UpstreamError) as caught:
        http.download(source.url, by_url.base_url)
    assert caught.value.failure.code is code


def red(width: int = 64, height: int = 64) -> InputBody:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return InputBody(out.getvalue(), "image/png")


def reds(image: Image.Image) -> int:
    """How many pixels are as red as the input."""
    colours = image.convert("RGB").getcolors(2**24)
    return sum(count for count, (r, g, b) in colours if r > 240 and g < 20 and b < 20)


@pytest.mark.parametrize("count", [1, 3])
def test_an_edit_shows_what_came_in(providers: registry.Providers, count: int) -> None:
    upstream_request = UpstreamRequest(
        request=request("with a hat", output_format="png"), model="gpt-image-2", inputs=(red(),) * count
    )
    ready = providers("openai").submit(upstream_request)
    assert isinstance(ready, Ready)
    assert opened(ready.bodies[0]).size == (1024, 1024)
    assert reds(opened(ready.bodies[0])) > 60_000


def test_a_mask_says_what_may_change(providers: registry.Providers) -> None:
    out = io.BytesIO()
    mask = Image.new("RGBA", (64, 64), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 32, 64))
    mask.save(out, "PNG")
    upstream_request = UpstreamRequest(
        request=request(), model="gpt-image-2", inputs=(red(),), mask=InputBody(out.getvalue(), "image/png")
    )
    ready = providers("openai").submit(upstream_request)
    assert isinstance(ready, Ready)
    image = opened(ready.bodies[0])
    assert reds(image.crop((0, 0, 500, 700))) == 0
    assert reds(image.crop((524, 0, 1024, 700))) == 500 * 700


def test_a_variation_needs_no_prompt(by_url: OpenAIImages, http: HttpUpstream) -> None:
    [source] = by_url.submit(UpstreamRequest(request=request(""), model="dall-e-2", inputs=(red(),))).sources
    assert reds(opened(http.download(source.url, by_url.base_url))) > 60_000


def test_an_input_that_is_no_picture(providers: registry.Providers) -> None:
    upstream_request = UpstreamRequest(
        request=request(), model="gpt-image-2", inputs=(InputBody(b"<html>", "image/png"),)
    )
    with pytest.raises(UpstreamError, match="Invalid image file") as caught:
        providers("openai").submit(upstream_request)
    assert caught.value.failure.code is FailureCode.INVALID_REQUEST


def test_faults_meet_edits_too(providers: registry.Providers) -> None:
    upstream_request = UpstreamRequest(
        request=request("[fault refuse] a fox"), model="gpt-image-2", inputs=(InputBody(picture(), "image/png"),)
    )
    with pytest.raises(UpstreamError) as caught:
        providers("openai").submit(upstream_request)
    assert caught.value.failure.code is FailureCode.CONTENT_FILTERED


def test_large_answers_are_read_whole(providers: registry.Providers) -> None:
    assert len(submit(providers, "openai", "[bytes 6000000] a fox").bodies[0]) >= 6_000_000


def test_a_missing_key_is_an_auth_failure(stand_ins: str, http: HttpUpstream) -> None:
    keyless = OpenAIImages("openai", f"{stand_ins}{BASE_PATHS['openai']}", http, NoSecrets(), OpenAICompatConfig())
    with pytest.raises(UpstreamError) as caught:
        keyless.submit(UpstreamRequest(request=request(), model="m"))
    assert caught.value.failure.code is FailureCode.AUTH
