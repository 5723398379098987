"""Adapters on stand-ins: what their contract tests have in common."""

import io
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from PIL import Image

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ready, Submission
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpRequest, HttpResponse, Provider
from imagegate.providers import registry
from support.fakes import NoSecrets

Submissions = Callable[[], list[dict[str, object]]]

PATIENCE = 20.0
"""Seconds, far beyond what an answer takes on a busy machine."""
HURRY = 1.0
"""Seconds after which a submission that is never answered is given up; long enough to arrive."""


class CountingHttp(HttpUpstream):
    """The real way to upstreams, which notes what went out and waits `patience` seconds for the first POST to a URL."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[HttpRequest] = []
        self.patience = PATIENCE

    def __enter__(self) -> "CountingHttp":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and note."""
        self.sent.append(request)
        first = request.method == "POST" and sum(each.url == request.url for each in self.sent) == 1
        patience = self.patience if first else PATIENCE
        return super().send(replace(request, timeout=min(request.timeout, patience)))

    @property
    def posts(self) -> int:
        """How many POSTs went out."""
        return sum(request.method == "POST" for request in self.sent)

    def pictures(self, ready: Ready | Failed, provider: Provider) -> list[Image.Image]:
        """The pictures of a success."""
        assert isinstance(ready, Ready), ready
        bodies = [*ready.bodies, *(self.download(source.url, provider.base_url) for source in ready.sources)]
        return [Image.open(io.BytesIO(body)) for body in bodies]


def provider_on(stand_ins: str, name: str, http: HttpUpstream) -> Provider:
    """The provider, led to its stand-in below that URL."""
    urls = {path_name: f"{stand_ins}{path}" for path_name, path in BASE_PATHS.items()}
    return registry.Providers(http, NoSecrets(STAND_IN_SECRETS), urls)(name)


def end_of(provider: Provider, submission: Submission) -> Ready | Failed:
    """How a submission ends; asks until it is no longer pending."""
    if isinstance(submission, Ready):
        return submission
    check: Check = Pending()
    deadline = time.time() + PATIENCE
    while isinstance(check, Pending) and time.time() < deadline:
        check = provider.check(submission, 0)
    assert not isinstance(check, Pending), "still pending"
    return check


def png() -> bytes:
    """A small picture."""
    body = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(body, "PNG")
    return body.getvalue()
