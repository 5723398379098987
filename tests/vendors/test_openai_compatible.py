"""The clients that servers compatible with OpenAI's Images API have of their own."""

from vendors.cases import FourCases, Raised


class TestXaiOnNode(FourCases):
    script = "xai.mjs"
    provider = "xai"
    asked = {"options": {"aspectRatio": "3:2"}}
    size = (1248, 832)
    refusal = Raised("Error", None, "content policy violation")
    throttle = Raised("AI_APICallError", 429)


class TestAzureOnNode(FourCases):
    script = "azure.mjs"
    provider = "azure-openai"
    asked = {"options": {"size": "512x512"}}
    size = (512, 512)
    refusal = Raised("AI_APICallError", 400, "content filter")
    throttle = Raised("AI_APICallError", 429)


class TestPollinations(FourCases):
    script = "pollinations.mjs"
    provider = "pollinations"
    base_path = "/pollinations"
    asked = {"options": {"model": "flux", "size": "512x512", "seed": 7}}
    size = (512, 512)
    refusal = Raised("PollinationsError", 422, "refused")
    throttle = Raised("PollinationsError", 429)


class TestTogether(FourCases):
    script = "together_images.py"
    provider = "together"
    base_path = "/together"
    asked = {"options": {"model": "black-forest-labs/FLUX.1-schnell", "width": 512, "height": 256, "steps": 4}}
    size = (512, 256)
    refusal = Raised("BadRequestError", 400, "NSFW")
    throttle = Raised("RateLimitError", 429)
