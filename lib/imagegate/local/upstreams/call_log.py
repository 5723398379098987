"""The call log: what really reached the stand-ins, so that tests can prove what was submitted exactly once."""

import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imagegate.local.upstreams.directives import Stage
from imagegate.local.upstreams.recent import Recent

KEPT_SUBMISSIONS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One accepted submission; with a real upstream, one that costs money."""

    upstream: str
    """The provider's name, a key of `app.BASE_PATHS`."""
    protocol: str
    prompt: str
    seed: int
    """The seed used, also when the stand-in chose it."""
    at: float
    """Unix time, seconds."""
    idempotency_key: str | None
    private: bool
    """Whether the call asked that its prompt is not logged, as Yandex has it."""


class CallLog:
    """Submissions accepted and calls counted; one log serves all stand-ins of an app."""

    def __init__(self) -> None:
        self.submissions: deque[Submission] = deque(maxlen=KEPT_SUBMISSIONS)
        self.calls: Recent[int] = Recent()

    def count_call(self, prompt: str, stage: Stage) -> int:
        """How many calls there have been at that stage with that prompt, this one included, over all upstreams."""
        name = f"{stage} {prompt}"
        return self.calls.put(name, (self.calls.get(name) or 0) + 1)

    def record(self, upstream: str, protocol: str, prompt: str, seed: int, headers: Mapping[str, str]) -> None:
        """Note an accepted submission."""
        key, private = headers.get("idempotency-key"), headers.get("x-data-logging-enabled") == "false"
        self.submissions.append(
            Submission(
                upstream=upstream,
                protocol=protocol,
                prompt=prompt,
                seed=seed,
                at=time.time(),
                idempotency_key=key,
                private=private,
            )
        )

    def routes(self) -> list[Route]:
        """`GET` (`?prompt=` and `?upstream=` narrow it) and `DELETE /submissions`; `GET /calls?prompt=…&stage=…`."""
        return [
            Route("/calls", self.count, methods=["GET"]),
            Route("/submissions", self.read, methods=["GET"]),
            Route("/submissions", self.clear, methods=["DELETE"]),
        ]

    async def read(self, request: Request) -> Response:
        """`{"count": n, "submissions": [...]}`, oldest first."""
        found = [asdict(each) for each in self.submissions if matches(each, request.query_params)]
        # In ASCII, because a prompt may hold half a surrogate pair.
        return Response(json.dumps({"count": len(found), "submissions": found}), media_type="application/json")

    async def count(self, request: Request) -> Response:
        """`{"count": n}`: the calls of a stage with a prompt that holds a fault, the refused ones included."""
        name = f"{request.query_params.get('stage', 'submit')} {request.query_params.get('prompt', '')}"
        return JSONResponse({"count": self.calls.get(name) or 0})

    async def clear(self, request: Request) -> Response:
        """Forget submissions and counted calls: every `xN` counts from 1 again."""
        self.submissions.clear()
        self.calls.clear()
        return Response(status_code=204)


def matches(submission: Submission, wanted: Mapping[str, str]) -> bool:
    """Whether the submission has the wanted prompt and upstream, as far as they are given."""
    return wanted.get("prompt", submission.prompt) == submission.prompt and (
        wanted.get("upstream", submission.upstream) == submission.upstream
    )
