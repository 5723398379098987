"""Cloudflare's package at the stand-in for Workers AI."""

from vendors.cases import FourCases, Raised

REFUSAL = Raised("BadRequestError", 400, "NSFW")
THROTTLE = Raised("RateLimitError", 429)


class TestCloudflareSchnell(FourCases):
    """A model that answers JSON, of one size only."""

    script = "cloudflare_run.py"
    provider = "workers-ai"
    asked = {"model": "@cf/black-forest-labs/flux-1-schnell", "options": {"steps": 4}}
    size = (1024, 1024)
    refusal = REFUSAL
    throttle = THROTTLE


class TestCloudflareDiffusion(FourCases):
    """A model that answers bytes."""

    script = "cloudflare_run.py"
    provider = "workers-ai"
    asked = {
        "model": "@cf/stabilityai/stable-diffusion-xl-base-1.0",
        "options": {"width": 768, "height": 512, "num_steps": 10, "seed": 7},
        "binary": True,
    }
    size = (768, 512)
    refusal = REFUSAL
    throttle = THROTTLE
