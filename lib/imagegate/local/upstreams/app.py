"""All stand-in upstreams in one ASGI app, as `make run` and the tests serve it on loopback."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from imagegate.local.upstreams.gradio import GradioSpace
from imagegate.local.upstreams.ledger import Ledger
from imagegate.local.upstreams.openai_images import OpenAIImages
from imagegate.local.upstreams.switches import Protocol
from imagegate.local.upstreams.upstream import Timing, Upstream
from imagegate.local.upstreams.yandexart import YandexArt

BASE_PATHS: dict[str, str] = {
    "black-forest-labs": "/spaces/black-forest-labs",
    "voodoohop": "/spaces/voodoohop",
    "yandexart": "/yandex",
    "openai": "/openai",
}
"""Mount path by provider name."""

PROTOCOLS: dict[str, Protocol] = {
    "black-forest-labs": "gradio",
    "voodoohop": "gradio",
    "yandexart": "yandexart",
    "openai": "openai",
}

INDEX = """imagegate's stand-in upstreams: real protocols, drawn pictures, no model, no key.

/spaces/black-forest-labs   FLUX.1-schnell Space, Gradio 6   POST /gradio_api/call/infer
/spaces/voodoohop           FLUX.1-schnell Space, Gradio 4   POST /call/infer
/yandex                     YandexART                        POST /foundationModels/v1/imageGenerationAsync
/openai                     OpenAI Images                    POST /v1/images/generations
/_standin/submissions       what they have accepted (DELETE forgets it)

Switches in a prompt, such as [delay 70s] or [fault http-429 x1], are listed in docs/stand-ins.md.
"""


def build_app(
    latency_seconds: float = 2.0,
    heartbeat_seconds: float = 15.0,
    latencies: Mapping[Protocol, float] | None = None,
    drip_seconds: float = 0.5,
    hang_seconds: float = 900.0,
) -> Starlette:
    """The app. `latencies` overrides `latency_seconds` per protocol; the rest is explained at `Timing`."""
    ledger = Ledger()

    def upstream(name: str) -> Upstream:
        latency = (latencies or {}).get(PROTOCOLS[name], latency_seconds)
        return Upstream(name, PROTOCOLS[name], Timing(latency, heartbeat_seconds, drip_seconds, hang_seconds), ledger)

    apps = {
        "black-forest-labs": GradioSpace(upstream("black-forest-labs"), generation=6).app(),
        "voodoohop": GradioSpace(upstream("voodoohop"), generation=4).app(),
        "yandexart": YandexArt(upstream("yandexart")).app(),
        "openai": OpenAIImages(upstream("openai")).app(),
    }
    mounts = [Mount(BASE_PATHS[name], app) for name, app in apps.items()]
    return Starlette(routes=[Route("/", index), Mount("/_standin", routes=ledger.routes()), *mounts])


async def index(request: Request) -> Response:
    """What is here, for a person with a browser."""
    return PlainTextResponse(INDEX)
