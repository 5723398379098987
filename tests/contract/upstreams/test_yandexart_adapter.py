"""The provider `yandexart` on its stand-in."""

import io
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.ports.upstreams import Provider
from imagegate.providers import registry
from support.fakes import NoSecrets

Submissions = Callable[[], list[dict[str, object]]]

PATIENCE = 5.0
MODEL = "yandex-art/latest"


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture
def art(stand_ins: str, http: HttpUpstream, client: object) -> Provider:
    urls = {"yandexart": f"{stand_ins}{BASE_PATHS['yandexart']}"}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)("yandexart")


def request(prompt: str = "a fox", **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model="yandex-art", messages=(Message(prompt),)), **changes)


def start(art: Provider, sent: ImageRequest) -> Ticket:
    ticket = art.submit(UpstreamRequest(request=sent, model=MODEL, idempotency_key="k1"))
    assert isinstance(ticket, Ticket)
    return ticket


def outcome(art: Provider, ticket: Ticket) -> Check:
    """Ask until it is no longer pending."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        check = art.check(ticket, 0)
        if not isinstance(check, Pending):
            return check
    raise AssertionError("still pending")


def code_of(failed: Check) -> FailureCode:
    assert isinstance(failed, Failed)
    return failed.failure.code


@pytest.mark.parametrize(
    "changes", [{}, {"ratio": (2, 1)}, {"ratio": (9, 16)}, {"size": Size(1792, 1024)}, {"size": Size(100, 77)}], ids=str
)
def test_a_jpeg_of_the_shape_that_the_limits_promise(art: Provider, changes: dict[str, Any]) -> None:
    sent = request(seed=1863, **changes)
    ready = outcome(art, start(art, sent))
    assert isinstance(ready, Ready)
    assert ready.seed == 1863
    image = Image.open(io.BytesIO(ready.bodies[0]))
    promised = art.limits.size_for(sent)
    assert (image.format, image.size) == ("JPEG", (promised.width, promised.height))


def test_weights_seed_and_ids_arrive(art: Provider, submissions: Submissions) -> None:
    messages = (Message("a forest", 5.0), Message("fog", -0.5))
    start(art, replace(request(seed=2**63 - 1), messages=messages))
    start(art, request())
    first, other = submissions()
    assert (first["prompt"], first["seed"]) == ("a forest\nfog", 2**63 - 1)
    assert first["idempotency_key"] == other["idempotency_key"] is not None


def test_a_job_is_pending_until_it_is_done(art: Provider) -> None:
    ticket = start(art, request("[delay 30s] a fox"))
    assert art.check(ticket, 0) == Pending()
    art.cancel(ticket)
    assert code_of(outcome(art, ticket)) is FailureCode.UPSTREAM_FAILED


def test_cancelling_what_is_gone_or_done_does_no_harm(art: Provider) -> None:
    art.cancel(Ticket({"id": "fbv00000000000000000"}))
    ticket = start(art, request())
    assert isinstance(outcome(art, ticket), Ready)
    art.cancel(ticket)
    assert isinstance(art.check(ticket, 0), Ready)


def test_an_unknown_job_has_expired(art: Provider) -> None:
    assert code_of(art.check(Ticket({"id": "fbv00000000000000000"}), 0)) is FailureCode.EXPIRED


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
        ("quota", FailureCode.RATE_LIMITED, None),
        ("quota-gauge", FailureCode.RATE_LIMITED, None),
        ("refuse", FailureCode.CONTENT_FILTERED, None),
        ("refuse-in-russian", FailureCode.CONTENT_FILTERED, None),
        ("grpc-1", FailureCode.UPSTREAM_FAILED, None),
        ("grpc-4", FailureCode.UPSTREAM_TIMEOUT, None),
        ("grpc-5", FailureCode.NOT_FOUND, None),
        ("grpc-6", FailureCode.UPSTREAM_FAILED, None),
        ("grpc-7", FailureCode.AUTH, None),
        ("grpc-10", FailureCode.UPSTREAM_FAILED, None),
        ("grpc-12", FailureCode.NOT_FOUND, None),
        ("grpc-16", FailureCode.AUTH, None),
        ("nonsense", FailureCode.INVALID_REQUEST, None),
    ],
)
def test_faults_at_the_post(art: Provider, fault: str, code: FailureCode, retry_after: float | None) -> None:
    with pytest.raises(UpstreamError) as caught:
        start(art, request(f"[fault {fault}] a fox"))
    assert (caught.value.failure.code, caught.value.failure.retry_after) == (code, retry_after)


def test_a_prompt_longer_than_the_limit(art: Provider) -> None:
    assert art.limits.prompt_characters == 500
    assert isinstance(start(art, request("x" * 500)), Ticket)
    with pytest.raises(UpstreamError) as caught:
        start(art, request("x" * 501))
    assert caught.value.failure.code is FailureCode.INVALID_REQUEST


def test_the_newer_model_is_not_to_be_had_here(art: Provider) -> None:
    with pytest.raises(UpstreamError) as caught:
        art.submit(UpstreamRequest(request=request(), model="aliceai-image-art-3.0"))
    assert caught.value.failure.code is FailureCode.NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("error-early", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
    ],
)
def test_faults_at_the_end(art: Provider, fault: str, code: FailureCode) -> None:
    assert code_of(outcome(art, start(art, request(f"[fault {fault}] a fox")))) is code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("http-429-retry-after", FailureCode.RATE_LIMITED),
        ("http-500", FailureCode.UPSTREAM_FAILED),
        ("html", FailureCode.BAD_PAYLOAD),
        ("drop", FailureCode.UPSTREAM_FAILED),
        ("grpc-1", FailureCode.UPSTREAM_FAILED),
        ("grpc-4", FailureCode.UPSTREAM_TIMEOUT),
        ("grpc-6", FailureCode.UPSTREAM_FAILED),
        ("grpc-7", FailureCode.AUTH),
        ("grpc-10", FailureCode.UPSTREAM_FAILED),
        ("grpc-12", FailureCode.NOT_FOUND),
        ("grpc-16", FailureCode.AUTH),
    ],
)
def test_a_failed_check_does_not_end_the_job(art: Provider, fault: str, code: FailureCode) -> None:
    ticket = start(art, request(f"[fault {fault} at check x1] a fox"))
    with pytest.raises(UpstreamError) as caught:
        art.check(ticket, 0)
    assert caught.value.failure.code is code
    assert isinstance(outcome(art, ticket), Ready)


def test_an_operation_that_the_service_has_forgotten_has_expired(art: Provider) -> None:
    ticket = start(art, request("[fault grpc-5 at check] a fox"))
    assert code_of(art.check(ticket, 0)) is FailureCode.EXPIRED


def test_an_error_before_the_end_does_not_end_the_job(art: Provider) -> None:
    ticket = start(art, request("[delay 30s] [fault error-early] a fox"))
    assert art.check(ticket, 0) == Pending()


def test_a_model_of_another_folder_is_no_fault_of_the_caller(art: Provider) -> None:
    with pytest.raises(UpstreamError, match="does not match") as caught:
        art.submit(UpstreamRequest(request=request(), model="art://other/yandex-art/latest"))
    assert caught.value.failure.code is FailureCode.AUTH


def test_private_requests_say_so(art: Provider, submissions: Submissions) -> None:
    start(art, request(private=True))
    start(art, request())
    assert [each["private"] for each in submissions()] == [True, False]


@pytest.mark.parametrize("name", ["YC_API_KEY", "YC_IAM_TOKEN"])
def test_credentials_are_in_no_line_and_no_error(
    stand_ins: str, http: HttpUpstream, name: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "httpx")  # which we keep quiet
    secrets = NoSecrets({name: "t1.marked-credential", "YC_FOLDER_ID": STAND_IN_SECRETS["YC_FOLDER_ID"]})
    provider = registry.Providers(http, secrets, {"yandexart": f"{stand_ins}{BASE_PATHS['yandexart']}"})("yandexart")
    outcome(provider, start(provider, request()))
    provider.cancel(Ticket({"id": "none"}))
    message = []
    for fault in ("grpc-16", "grpc-7", "html", "drop"):
        with pytest.raises(UpstreamError) as caught:
            start(provider, request(f"[fault {fault}] a fox"))
        message.append("".join(traceback.format_exception(caught.value)))
    text = caplog.text + "".join(capsys.readouterr()) + "".join(message)
    assert "imageGenerationAsync" in text  # the lines are there to be looked at
    assert "marked-credential" not in text


def test_an_endless_job_stays_pending(art: Provider) -> None:
    ticket = start(art, request("[fault endless] [delay 0s] a fox"))
    assert art.check(ticket, 0) == Pending()
