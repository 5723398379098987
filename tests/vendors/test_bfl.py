"""The AI SDK's provider at the stand-in for Black Forest Labs."""

from vendors.cases import FourCases, Raised


class TestBlackForestLabsForNode(FourCases):
    script = "bfl.mjs"
    provider = "bfl"
    asked = {"model": "flux-kontext-pro", "aspectRatio": "16:9", "seed": 7}
    size = (1360, 768)
    # It asks on after "Request Moderated", until its own time is up.
    refusal = Raised("Error", None, "timed out")
    throttle = Raised("AI_APICallError", 429)
