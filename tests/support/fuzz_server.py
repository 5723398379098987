"""The application on a real server with everything behind it in memory; run as `python -m support.fuzz_server`.

Prints its URL and an API key, and ends with its standard input.
"""

import sys
from dataclasses import replace

from imagegate.domain.operation.ids import created_at
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.local.upstreams.serving import serving
from support.fakes import FakeClock, picture, routes
from support.gateway import Gateway

EXAMPLE_ID = "06gzj55vfn0ajhf9kn2m"
"""The id that the document gives as an example: it must be young enough."""
DEMANDS = ("seed", "steps", "guidance", "negative_prompt", "background")


def two_models() -> Routes:
    """`flux`, which works from no picture, and `able`, which does."""
    [plain], [able] = routes("alpha"), able_routes()
    return Routes([plain, Route(model="able", targets=able.targets)])


def able_routes() -> Routes:
    """One model that takes every field, and pictures to edit or to vary."""
    able = Limits(
        completion=CompletionMode.POLL,
        grid=Grid(64, 2048, 8),
        prompt_characters=32_000,
        capabilities=frozenset(DEMANDS),
        steps_maximum=500,
    )
    return Routes(
        [
            Route(
                model="flux",
                targets=(
                    Target(
                        provider="alpha",
                        model="schnell",
                        limits=replace(able, input_images=16, supports_masks=True, supports_variations=True),
                    ),
                ),
            )
        ]
    )


def gateway() -> tuple[Gateway, str]:
    """A gateway that holds no request, with an operation in every state, and the key of their owner."""
    clock = FakeClock(created_at(EXAMPLE_ID) + 60)
    made = Gateway(clock, hold_seconds=0, routes=able_routes(), access="keys")
    _, text = made.key()
    for state in State:
        body = {"model": "flux", "prompt": f"{state}"}
        created = made.call("POST", "/v1/operations", body, idempotency_key=str(state), x_api_key=text).json()
        found = made.store.get(created["id"])
        assert found
        if state is State.QUEUED:
            continue
        moved = found.moved(State.RUNNING, 1.0)
        if state is State.SUCCEEDED:
            made.images.put("images/k", picture(), "image/png")
            kept = Picture(
                slot=0,
                key="images/k",
                sha256="s",
                content_type="image/png",
                width=64,
                height=48,
                bytes=9,
                provider="beta",
                seed=7,
            )
            moved = moved.with_pictures((kept,))
        moved = moved if state is State.RUNNING else moved.moved(state, made.clock.now())
        made.store.replace(replace(moved, version=found.version + 1))
    return made, text


def main() -> None:
    """Serve until the standard input ends."""
    made, key = gateway()
    with serving(made.app) as url:
        print(url, key, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
