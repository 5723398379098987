"""The skeletons of lib/imagegate/providers/ADDING.md are a provider and a stand-in that work as they stand there."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams import app
from imagegate.local.upstreams.serving import serving
from imagegate.ports.upstreams import Provider
from imagegate.providers.openai_compat import Capability
from support.fakes import NoSecrets

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "lib/imagegate/providers/ADDING.md").read_text()


def skeleton(heading: str) -> Any:
    """The module that the page has below the heading."""
    code = re.search(rf"^## {heading}$.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert code
    module = ModuleType(heading.replace(" ", "_"))
    exec(compile(code[1], heading, "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture(scope="module")
def acme(http: HttpUpstream) -> Iterator[Provider]:
    [stand_in] = skeleton("Skeleton of a stand-in").STAND_INS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "STAND_INS", (stand_in,))
        served = app.build_app(latency_seconds=0.02)
    with serving(served) as url:
        provider = skeleton("Skeleton of a provider").Acme
        yield provider("acme", f"{url}{stand_in.base_path}", http, NoSecrets(stand_in.secrets))


def submit(acme: Provider, prompt: str) -> Ticket:
    ticket = acme.submit(
        UpstreamRequest(
            request=ImageRequest(model="m", messages=(Message(prompt),), seed=7), model="m", idempotency_key="k"
        )
    )
    assert isinstance(ticket, Ticket)
    return ticket


def end(acme: Provider, ticket: Ticket) -> Check:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        check = acme.check(ticket, 0)
        if not isinstance(check, Pending):
            return check
    raise AssertionError("still pending")


def test_a_picture_arrives(acme: Provider, http: HttpUpstream) -> None:
    ready = end(acme, submit(acme, "a fox"))
    assert isinstance(ready, Ready)
    assert ready.seed == 7
    [source] = ready.sources
    body = http.download(source.url, acme.base_url)
    assert Image.open(io.BytesIO(body)).format == "PNG"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("http-401", FailureCode.AUTH),
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-503", FailureCode.CAPACITY),
        ("html", FailureCode.BAD_PAYLOAD),
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("quota", FailureCode.RATE_LIMITED),
        ("nonsense", FailureCode.INVALID_REQUEST),
    ],
)
def test_a_submission_that_fails(acme: Provider, fault: str, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        submit(acme, f"[fault {fault}] a fox")
    assert caught.value.failure.code is code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuse-late", FailureCode.CONTENT_FILTERED),
        ("error", FailureCode.UPSTREAM_FAILED),
        ("no-image", FailureCode.BAD_PAYLOAD),
    ],
)
def test_a_job_that_fails(acme: Provider, fault: str, code: FailureCode) -> None:
    failed = end(acme, submit(acme, f"[fault {fault}] a fox"))
    assert isinstance(failed, Failed)
    assert failed.failure.code is code


def test_a_failed_check_does_not_end_the_job(acme: Provider) -> None:
    ticket = submit(acme, "[fault http-500 at check x1] a fox")
    with pytest.raises(UpstreamError):
        acme.check(ticket, 0)
    assert isinstance(end(acme, ticket), Ready)


def test_a_job_is_pending_until_it_is_cancelled(acme: Provider) -> None:
    ticket = submit(acme, "[delay 30s] a fox")
    assert isinstance(acme.check(ticket, 0), Pending)
    acme.cancel(ticket)
    acme.cancel(Ticket({"id": "gone"}))


def test_the_page_names_the_legal_capabilities() -> None:
    listed = re.search(r"optional fields it honours, of (.*?)\. Name none", PAGE, re.DOTALL)
    assert listed
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(get_args(Capability))


def test_the_files_and_names_of_the_page_are_there() -> None:
    for path in re.findall(r"`((?:providers|local|domain)/[\w/.]+\.(?:py|toml))`", PAGE):
        assert "acme" in path or (ROOT / "lib/imagegate" / path).exists(), path
    for path in re.findall(r"`((?:tests|docs)/[\w/.-]+)`", PAGE):
        assert "acme" in path or (ROOT / path).exists(), path
