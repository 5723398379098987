"""What every provider owes the workflow, shown on its stand-in. A new one is tried here without being named."""

import io
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.limits import CompletionMode
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS, STAND_INS
from imagegate.ports.upstreams import Provider
from imagegate.providers import registry
from support.fakes import NoSecrets

Submissions = Callable[[], list[dict[str, object]]]

PATIENCE = 20.0
TARGETS = {target.provider: target for route in registry.routes() for target in route.targets}
MODELS = {provider: target.model for provider, target in TARGETS.items()}
POLLED = sorted(name for name in MODELS if registry.limits_of(name).completion is CompletionMode.POLL)
WITHOUT_REASONS = {"voodoohop"}
"""Gradio 4 does not say why a job failed (docs/protocols/gradio-spaces.md#streams)."""
FAULTS = {each.name: each.faults.stages for each in STAND_INS}
"""A server of one's own has neither filter nor quota: its stand-in refuses the directive."""


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture
def providers(stand_ins: str, http: HttpUpstream, client: object) -> registry.Providers:
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)


@pytest.fixture(params=sorted(MODELS))
def provider(request: pytest.FixtureRequest, providers: registry.Providers) -> Provider:
    return providers(request.param)


@pytest.fixture(params=POLLED)
def polled(request: pytest.FixtureRequest, providers: registry.Providers) -> Provider:
    return providers(request.param)


def upstream_request(provider: Provider, prompt: str) -> UpstreamRequest:
    request = ImageRequest(model="m", messages=(Message(prompt),))
    seed = 7 if "seed" in provider.limits.capabilities else None
    # A key of its own, as upstreams that honour keys know those of earlier tests.
    return UpstreamRequest(
        request=replace(request, seed=seed), model=MODELS[provider.name], idempotency_key=secrets.token_hex()
    )


def outcome(provider: Provider, prompt: str) -> Ready | Failure:
    """How a submission of the prompt ends."""
    try:
        submission = provider.submit(upstream_request(provider, prompt))
    except UpstreamError as error:
        return error.failure
    return submission if isinstance(submission, Ready) else checked(provider, submission)


def checked(provider: Provider, ticket: Ticket) -> Ready | Failure:
    check: Check = Pending()
    deadline = time.time() + PATIENCE
    while isinstance(check, Pending) and time.time() < deadline:
        check = provider.check(ticket, deadline)
    assert not isinstance(check, Pending), "still pending"
    return check.failure if isinstance(check, Failed) else check


def code_of(end: Ready | Failure) -> FailureCode:
    assert isinstance(end, Failure)
    return end.code


def test_a_picture_arrives_and_one_submission_is_counted(
    provider: Provider, http: HttpUpstream, submissions: Submissions
) -> None:
    ready = outcome(provider, "a fox")
    assert isinstance(ready, Ready), ready
    [body] = [*ready.bodies, *(http.download(source.url, provider.base_url) for source in ready.sources)]
    size = TARGETS[provider.name].limits.size_for(upstream_request(provider, "a fox").request)
    assert Image.open(io.BytesIO(body)).size == (size.width, size.height)
    [submission] = submissions()
    assert submission["upstream"] == provider.name
    if "seed" in provider.limits.capabilities:
        assert (submission["seed"], ready.seed) == (7, 7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("http-401", {FailureCode.AUTH}),
        ("http-429", {FailureCode.RATE_LIMITED}),
        ("http-503", {FailureCode.CAPACITY}),
        ("http-500", {FailureCode.UPSTREAM_FAILED}),
        ("html", {FailureCode.BAD_PAYLOAD}),
        ("html-502", {FailureCode.UPSTREAM_FAILED}),
        ("error", {FailureCode.UPSTREAM_FAILED}),
        ("no-image", {FailureCode.BAD_PAYLOAD}),
    ],
)
def test_a_failure_has_its_code(provider: Provider, fault: str, codes: set[FailureCode]) -> None:
    assert code_of(outcome(provider, f"[fault {fault}] a fox")) in codes


def test_a_submission_whose_answer_is_lost_is_ambiguous_or_found_again(
    provider: Provider, submissions: Submissions
) -> None:
    end = outcome(provider, "[fault drop at submit] a fox")
    assert isinstance(end, Ready) or end.code is FailureCode.AMBIGUOUS
    assert len(submissions()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("refuse", {FailureCode.CONTENT_FILTERED}),
        ("refuse-late", {FailureCode.CONTENT_FILTERED}),
        ("quota", {FailureCode.RATE_LIMITED, FailureCode.NO_CREDIT}),
    ],
)
def test_a_refusal_has_its_code_where_the_upstream_gives_reasons(
    provider: Provider, fault: str, codes: set[FailureCode]
) -> None:
    codes = {FailureCode.UPSTREAM_FAILED} if provider.name in WITHOUT_REASONS else codes
    codes = codes if fault in FAULTS[provider.name] else {FailureCode.INVALID_REQUEST}
    assert code_of(outcome(provider, f"[fault {fault}] a fox")) in codes


def test_retry_after_is_read(provider: Provider) -> None:
    end = outcome(provider, "[fault http-429-retry-after] a fox")
    assert code_of(end) is FailureCode.RATE_LIMITED
    assert isinstance(end, Failure)
    assert end.retry_after == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["http-429", "http-500", "http-503", "html-502"])
def test_a_failed_check_does_not_end_the_job(polled: Provider, fault: str) -> None:
    ticket = polled.submit(upstream_request(polled, f"[fault {fault} at check x1] a fox"))
    assert isinstance(ticket, Ticket)
    with pytest.raises(UpstreamError):
        polled.check(ticket, 0)
    assert isinstance(checked(polled, ticket), Ready)


@pytest.mark.parametrize("prompt", ["[delay 30s] a fox", "[fault endless] [delay 0s] a fox"])
def test_a_job_is_pending_until_it_is_done_and_cancelling_it_twice_does_no_harm(polled: Provider, prompt: str) -> None:
    ticket = polled.submit(upstream_request(polled, prompt))
    assert isinstance(ticket, Ticket)
    assert isinstance(polled.check(ticket, 0), Pending)
    polled.cancel(ticket)
    polled.cancel(ticket)
