"""Stand-ins for Google's Gemini image models."""

from imagegate.local.upstreams.gemini.app import GeminiStandIn
from imagegate.local.upstreams.gemini.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="gemini",
        speaks="Gemini API",
        mount="/gemini",
        base_path="/gemini/v1beta",
        calls=("POST /models/{model}:generateContent",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `google-genai`",
        secrets={"GEMINI_API_KEY": "stand-in"},
        build=lambda upstream: GeminiStandIn(upstream).app(),
    ),
    StandIn(
        name="vertex",
        speaks="Vertex AI, with an API key",
        mount="/vertex",
        base_path="/vertex/v1beta1/publishers/google",
        calls=("POST /models/{model}:generateContent",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `google-genai`",
        secrets={"GOOGLE_API_KEY": "stand-in"},
        build=lambda upstream: GeminiStandIn(upstream).app(),
    ),
)
