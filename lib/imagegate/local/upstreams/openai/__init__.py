"""Stand-ins for OpenAI's Images API and servers compatible with it."""

from imagegate.local.upstreams.openai.app import OpenAIStandIn
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.together import TOGETHER
from imagegate.local.upstreams.openai.yandex_ai_studio import YANDEX_AI_STUDIO
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="openai",
        speaks="OpenAI Images",
        mount="/openai",
        base_path="/openai/v1",
        calls=("POST /images/generations", "POST /images/edits", "POST /images/variations"),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `openai`",
        secrets={"OPENAI_API_KEY": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream).app(),
    ),
    StandIn(
        name="together",
        speaks="Together",
        mount="/together",
        base_path="/together/v1",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="recordings",
        proven_by="the published schema (docs/protocols/providers.md)",
        secrets={"TOGETHER_API_KEY": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream, TOGETHER).app(),
    ),
    StandIn(
        name="yandex-ai-studio",
        speaks="Yandex AI Studio",
        mount="/yandex-ai-studio",
        base_path="/yandex-ai-studio/v1",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="recordings",
        proven_by="answers in the documentation (docs/protocols/yandexart.md)",
        secrets={"YC_API_KEY": "stand-in", "YC_FOLDER_ID": "stand-in-folder"},
        build=lambda upstream: OpenAIStandIn(upstream, YANDEX_AI_STUDIO).app(),
    ),
)
