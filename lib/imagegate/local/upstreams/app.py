"""All stand-in upstreams in one ASGI app, as `make run` and the tests serve it on loopback."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from imagegate.local.upstreams.chat.app import ChatStandIn
from imagegate.local.upstreams.directives import Protocol
from imagegate.local.upstreams.gradio.app import GradioStandIn
from imagegate.local.upstreams.ledger import CallLog
from imagegate.local.upstreams.openai.app import OpenAIStandIn
from imagegate.local.upstreams.openai.together import TOGETHER
from imagegate.local.upstreams.openai.yandex_ai_studio import YANDEX_AI_STUDIO
from imagegate.local.upstreams.upstream import Timing, Upstream
from imagegate.local.upstreams.yandexart.app import YandexArtStandIn

MOUNTS: dict[str, str] = {
    "black-forest-labs": "/spaces/black-forest-labs",
    "voodoohop": "/spaces/voodoohop",
    "yandexart": "/yandex",
    "yandex-ai-studio": "/yandex-ai-studio",
    "openai": "/openai",
    "together": "/together",
    "expander": "/chat",
}
"""Mount path by provider name, which is a key of models.toml's `[providers]`; `expander` is the language model."""

PROTOCOLS: dict[str, Protocol] = {
    "black-forest-labs": "gradio",
    "voodoohop": "gradio",
    "yandexart": "yandexart",
    "yandex-ai-studio": "openai",
    "openai": "openai",
    "together": "openai",
    "expander": "chat",
}

BASE_PATHS: dict[str, str] = {
    name: f"{path}/v1" if PROTOCOLS[name] in ("openai", "chat") else path for name, path in MOUNTS.items()
}
"""Path of a provider's base URL by its name, as models.toml has it for the real one."""

STAND_IN_SECRETS: dict[str, str] = {
    "OPENAI_API_KEY": "stand-in",
    "EXPANDER_API_KEY": "stand-in",
    "TOGETHER_API_KEY": "stand-in",
    "YC_API_KEY": "stand-in",
    "YC_FOLDER_ID": "stand-in-folder",
}
"""Credentials that providers must find set before they call a stand-in, which takes any."""

EXPANDER_PARAMETERS: dict[str, str] = {
    "Expander": "openai",
    "ExpanderModel": "stand-in",
    "ExpanderSecretName": "EXPANDER_API_KEY",
}
"""The template's parameters that have prompts expanded by the stand-in."""

INDEX = """imagegate's stand-in upstreams: real protocols, drawn pictures, no model, no key.

/spaces/black-forest-labs   FLUX.1-schnell Space, Gradio 6   POST /gradio_api/call/infer
/spaces/voodoohop           FLUX.1-schnell Space, Gradio 4   POST /call/infer
/yandex                     YandexART                        POST /foundationModels/v1/imageGenerationAsync
/yandex-ai-studio/v1        Yandex AI Studio                 POST /images/generations
/openai/v1                  OpenAI Images                    POST /images/generations, /edits, /variations
/together/v1                Together                         POST /images/generations
/chat/v1                    Language model               POST /chat/completions
/chat                       YandexGPT                    POST /foundationModels/v1/completion
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
    ledger = CallLog()

    def upstream(name: str) -> Upstream:
        latency = (latencies or {}).get(PROTOCOLS[name], latency_seconds)
        return Upstream(name, PROTOCOLS[name], Timing(latency, heartbeat_seconds, drip_seconds, hang_seconds), ledger)

    apps = {
        "black-forest-labs": GradioStandIn(upstream("black-forest-labs"), generation=6).app(),
        "voodoohop": GradioStandIn(upstream("voodoohop"), generation=4).app(),
        "yandexart": YandexArtStandIn(upstream("yandexart")).app(),
        "yandex-ai-studio": OpenAIStandIn(upstream("yandex-ai-studio"), YANDEX_AI_STUDIO).app(),
        "openai": OpenAIStandIn(upstream("openai")).app(),
        "together": OpenAIStandIn(upstream("together"), TOGETHER).app(),
        "expander": ChatStandIn(upstream("expander")).app(),
    }
    mounts = [Mount(MOUNTS[name], app) for name, app in apps.items()]
    return Starlette(routes=[Route("/", index), Mount("/_standin", routes=ledger.routes()), *mounts])


async def index(request: Request) -> Response:
    """What is here, for a person with a browser."""
    return PlainTextResponse(INDEX)
