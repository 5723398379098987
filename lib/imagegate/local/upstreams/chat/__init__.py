"""Stand-in for a language model."""

from imagegate.local.upstreams.chat.app import ChatStandIn
from imagegate.local.upstreams.chat.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

EXPANDER_PARAMETERS: dict[str, str] = {
    "Expander": "openai",
    "ExpanderModel": "stand-in",
    "ExpanderSecretName": "EXPANDER_API_KEY",
}
"""The template's parameters that have prompts expanded by the stand-in."""

STAND_INS = (
    StandIn(
        name="expander",
        speaks="Language model, as OpenAI and as YandexGPT",
        mount="/expander",
        base_path="/expander/v1",
        calls=("POST /chat/completions", "POST ../foundationModels/v1/completion"),
        faults=FAULTS,
        proof="recordings",
        proven_by="answers in the documentation (docs/protocols/yandexart.md)",
        secrets={"EXPANDER_API_KEY": "stand-in"},
        build=lambda upstream: ChatStandIn(upstream).app(),
    ),
)
