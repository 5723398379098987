"""What imagegate adds to an upstream that answers at once: `make bench NAME=latency [N=30]`.

One request at a time on a warm embedded stack, in turns with the same work done by hand: the provider asked directly
(its adapter submits, checks and downloads). The difference is API Gateway, `api`, the workflow, `submit`, DynamoDB, S3
and the waiting client's question, each of which costs a process and a request here and milliseconds on AWS.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Submission, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS, build_app
from imagegate.ports.upstreams import Provider
from imagegate.providers.registry import Providers
from support.stack_settings import on_free_ports

TARGET = 600
"""Milliseconds, median."""
CASES = {
    "hold": ("flux", "black-forest-labs", "flux-1-schnell"),
    "blocking": ("gpt-image-2", "openai", "gpt-image-2"),
    "poll": ("yandex-art-legacy", "yandexart", "yandex-art/latest"),
}
"""How the upstream lets us wait: the route's name, the provider, the upstream's name of the model."""
WARM_UP = 12
"""Requests after which functions are warm, and the schedule has learned that this upstream is quick. How long they take
is told as well: it is not known yet how long such jobs last."""


class StandInSecrets:
    """What the stand-ins accept."""

    def get(self, name: str) -> str | None:
        """The secret of that name."""
        return STAND_IN_SECRETS.get(name)


def direct(provider: Provider, http: HttpUpstream, model: str, prompt: str) -> None:
    """One picture without imagegate."""
    request = ImageRequest(model="", messages=(Message(prompt),))
    submitted = provider.submit(UpstreamRequest(request=request, model=model, count=1, idempotency_key=prompt))
    outcome: Submission | Check = submitted
    while isinstance(submitted, Ticket) and not isinstance(outcome, Ready):
        outcome = provider.check(submitted, time.time() + 60)
        assert not isinstance(outcome, Failed), outcome
    assert isinstance(outcome, Ready), outcome
    for source in outcome.sources:
        http.download(source.url, provider.base_url)


def through(stack: Stack, model: str, provider: str, prompt: str) -> None:
    """One picture through imagegate, with a client's request."""
    body = {"model": model, "provider": provider, "prompt": prompt}
    answer = httpx.post(f"{stack.base_url}/v1/images/generations", json=body, timeout=60, follow_redirects=True)
    assert answer.status_code == 200, answer.text


def milliseconds(call: Callable[[], None]) -> float:
    """How long the call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def measure(stack: Stack, case: str, n: int) -> dict[str, float]:
    """Both ways in turns, n times."""
    model, name, upstream_model = CASES[case]
    http = HttpUpstream()
    base_urls = {known: f"{stack.upstreams_url}{path}" for known, path in BASE_PATHS.items()}
    provider = Providers(http, StandInSecrets(), base_urls)(name)
    pairs = [
        (
            milliseconds(lambda: through(stack, model, name, f"a cat {number}")),  # noqa: B023
            milliseconds(lambda: direct(provider, http, upstream_model, f"a dog {number}")),  # noqa: B023
        )
        for number in range(WARM_UP + n)
    ]
    first_dozen, pairs = statistics.median(request for request, _ in pairs[:WARM_UP]), pairs[WARM_UP:]
    added = sorted(ours - theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "first_dozen_ms": round(first_dozen),
        "request_ms": round(ours),
        "direct_ms": round(theirs),
        "added_ms": round(statistics.median(added)),
        "added_p95_ms": round(added[int(0.95 * (len(added) - 1))]),
    }


def main() -> None:
    """Every kind of upstream on one stack."""
    n, figures = int(os.environ.get("N", "30")), {}
    print(f"milliseconds, medians of {n} requests, one at a time; target: {TARGET} added")
    with tempfile.TemporaryDirectory() as folder:
        stand_ins = StandIns(build_app(latency_seconds=0), STAND_IN_SECRETS)
        with Stack(replace(on_free_ports(Path(folder)), stand_ins=stand_ins)) as stack:
            for case in CASES:
                figures[case] = measure(stack, case, n)
                print(f"  {case:10} {figures[case]}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
