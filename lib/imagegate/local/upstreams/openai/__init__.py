"""Stand-ins for OpenAI's Images API and servers compatible with it."""

from imagegate.local.upstreams.openai.app import OpenAIStandIn
from imagegate.local.upstreams.openai.azure import AZURE_MAI, AZURE_OPENAI
from imagegate.local.upstreams.openai.deepinfra import DEEPINFRA, POLLINATIONS
from imagegate.local.upstreams.openai.faults import FAULTS
from imagegate.local.upstreams.openai.recraft import RECRAFT
from imagegate.local.upstreams.openai.together import TOGETHER
from imagegate.local.upstreams.openai.xai import XAI
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
        proof="official client",
        proven_by="the package `together`",
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
        proof="official client",
        proven_by="the package `openai`, whose form of requests Yandex documents",
        secrets={"YC_API_KEY": "stand-in", "YC_FOLDER_ID": "stand-in-folder"},
        build=lambda upstream: OpenAIStandIn(upstream, YANDEX_AI_STUDIO).app(),
    ),
    StandIn(
        name="xai",
        speaks="xAI",
        mount="/xai",
        base_path="/xai/v1",
        calls=(
            "POST /images/generations",
            "POST /images/edits",
        ),
        faults=FAULTS,
        proof="official client",
        proven_by="the packages `openai`, as xAI documents, and `@ai-sdk/xai`",
        secrets={"XAI_API_KEY": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream, XAI).app(),
    ),
    StandIn(
        name="azure-openai",
        speaks="Azure OpenAI",
        mount="/azure-openai/openai",
        base_path="/azure-openai/openai/v1",
        calls=(
            "POST /images/generations",
            "POST /images/edits",
        ),
        faults=FAULTS,
        proof="official client",
        proven_by="the packages `openai` and `@ai-sdk/azure`",
        secrets={"AZURE_OPENAI_API_KEY": "stand-in", "AZURE_OPENAI_ENDPOINT": "https://stand-in.openai.azure.com/"},
        build=lambda upstream: OpenAIStandIn(upstream, AZURE_OPENAI).app(),
    ),
    StandIn(
        name="azure-mai",
        speaks="Azure, Microsoft's own image models",
        mount="/azure-mai/mai",
        base_path="/azure-mai/mai/v1",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="recordings",
        proven_by="what other gateways send (docs/protocols/openai-compatible.md)",
        secrets={"AZURE_AI_API_KEY": "stand-in", "AZURE_AI_ENDPOINT": "https://stand-in.services.ai.azure.com/"},
        build=lambda upstream: OpenAIStandIn(upstream, AZURE_MAI).app(),
    ),
    StandIn(
        name="recraft",
        speaks="Recraft",
        mount="/recraft",
        base_path="/recraft/v1",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `openai`, as Recraft documents",
        secrets={"RECRAFT_API_TOKEN": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream, RECRAFT).app(),
    ),
    StandIn(
        name="deepinfra",
        speaks="DeepInfra",
        mount="/deepinfra",
        base_path="/deepinfra/v1/openai",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `openai`, as DeepInfra documents",
        secrets={"DEEPINFRA_API_KEY": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream, DEEPINFRA).app(),
    ),
    StandIn(
        name="pollinations",
        speaks="Pollinations",
        mount="/pollinations",
        base_path="/pollinations/v1",
        calls=("POST /images/generations",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `@pollinations/sdk`",
        secrets={"POLLINATIONS_API_KEY": "stand-in"},
        build=lambda upstream: OpenAIStandIn(upstream, POLLINATIONS).app(),
    ),
)
