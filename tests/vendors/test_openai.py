"""OpenAI's package at the stand-in for OpenAI."""

from vendors.cases import FourCases, Raised


class TestOpenAI(FourCases):
    script = "openai_images.py"
    provider = "openai"
    asked = {"options": {"model": "gpt-image-2", "size": "512x320"}}
    size = (512, 320)
    refusal = Raised("BadRequestError", 400, "safety system")
    throttle = Raised("RateLimitError", 429)
