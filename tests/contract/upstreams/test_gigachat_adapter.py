"""The provider `gigachat` on its stand-in."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Ready, Submission, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpRequest, HttpResponse, Provider
from imagegate.providers import gigachat, registry
from support.fakes import NoSecrets

Submissions = Callable[[], list[dict[str, object]]]


@dataclass
class CountingHttp(HttpUpstream):
    """The real way to an upstream, which remembers what went along it."""

    sent: list[HttpRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        HttpUpstream.__init__(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        return super().send(request)

    def count(self, path: str) -> int:
        return sum(path in each.url for each in self.sent)


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    one = CountingHttp()
    yield one
    one._client.close()


@pytest.fixture
def giga(stand_ins: str, http: CountingHttp, client: object) -> Provider:
    urls = {name: f"{stand_ins}{path}" for name, path in BASE_PATHS.items()}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)("gigachat")


def submit(giga: Provider, prompt: str = "a fox", model: str = "GigaChat-2-Max") -> Submission:
    return giga.submit(
        UpstreamRequest(request=ImageRequest(model="gigachat", messages=(Message(prompt),)), model=model)
    )


def code_of(giga: Provider, prompt: str) -> FailureCode:
    with pytest.raises(UpstreamError) as caught:
        submit(giga, prompt)
    return caught.value.failure.code


def test_one_token_serves_two_pictures(giga: Provider, http: CountingHttp, submissions: Submissions) -> None:
    for _ in range(2):
        ready = submit(giga)
        assert isinstance(ready, Ready)
        assert Image.open(io.BytesIO(ready.bodies[0])).format == "JPEG"
        assert ready.usage
    assert (http.count("oauth"), http.count("/chat/"), len(submissions())) == (1, 2, 2)


def test_a_token_that_expires_is_renewed_once(giga: Provider, http: CountingHttp, submissions: Submissions) -> None:
    submit(giga)
    assert isinstance(submit(giga, "[fault expired-token x1] a fox"), Ready)
    assert isinstance(submit(giga, "[fault expired-token at read x1] a fox"), Ready)
    assert (http.count("oauth"), http.count("/chat/"), len(submissions())) == (3, 4, 3)
    assert code_of(giga, "[fault expired-token] a fox") is FailureCode.AUTH
    assert (http.count("oauth"), http.count("/chat/"), len(submissions())) == (4, 6, 3)


def test_a_file_wants_the_token(giga: Provider, http: CountingHttp) -> None:
    submit(giga)
    file = http.sent[-1]
    assert http.send(file).status == 200
    assert http.send(HttpRequest(method="GET", url=file.url)).status == 401


@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("http-429", FailureCode.RATE_LIMITED, 0),
        ("http-503", FailureCode.CAPACITY, 0),
        ("http-500", FailureCode.UPSTREAM_FAILED, 0),
        ("http-401", FailureCode.AUTH, 0),
        ("html", FailureCode.BAD_PAYLOAD, 0),
        ("quota", FailureCode.NO_CREDIT, 0),
        ("refuse", FailureCode.CONTENT_FILTERED, 0),
        ("refuse-late", FailureCode.CONTENT_FILTERED, 1),
        ("error", FailureCode.UPSTREAM_FAILED, 1),
        ("no-image", FailureCode.BAD_PAYLOAD, 1),
        ("drop", FailureCode.AMBIGUOUS, 1),
        ("accepted-then-hang", FailureCode.AMBIGUOUS, 1),
        ("hang", FailureCode.AMBIGUOUS, 0),
    ],
)
def test_a_chat_that_fails_is_not_repeated(
    giga: Provider,
    http: CountingHttp,
    submissions: Submissions,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    code: FailureCode,
    accepted: int,
) -> None:
    monkeypatch.setattr(gigachat, "GENERATION_SECONDS", 0.5)
    assert code_of(giga, f"[fault {fault}] a fox") is code
    assert (http.count("oauth"), http.count("/chat/"), len(submissions())) == (1, 1, accepted)


@pytest.mark.parametrize(
    "fault", ["http-503", "http-500", "html", "html-502", "drop", "expired-url", "redirect-private"]
)
def test_a_picture_that_has_been_paid_for_is_read_later(giga: Provider, submissions: Submissions, fault: str) -> None:
    ticket = submit(giga, f"[fault {fault} at fetch x1] a fox")
    assert isinstance(ticket, Ticket)
    assert isinstance(giga.check(ticket, 0), Ready)
    assert len(submissions()) == 1


def test_a_picture_that_is_gone_has_expired(giga: Provider) -> None:
    check = giga.check(Ticket({"files": ["gone"]}), 0)
    assert isinstance(check, Failed)
    assert check.failure.code is FailureCode.EXPIRED


def test_a_model_that_is_not_there(giga: Provider) -> None:
    with pytest.raises(UpstreamError) as caught:
        submit(giga, model="GigaChat-9")
    assert caught.value.failure.code is FailureCode.NOT_FOUND
