"""Hugging Face's package at the stand-ins for what is behind its router."""

from vendors.cases import FourCases, Raised


class Routed(FourCases):
    __test__ = False
    script = "huggingface_text_to_image.py"
    throttle = Raised("HfHubHTTPError", 429)

    def __init_subclass__(cls) -> None:
        cls.__test__ = True
        cls.base_path = f"/{cls.provider}"  # the client puts the provider behind its router's address


class TestHuggingFaceFal(Routed):
    """Its call without `_subdomain=queue`, which the router holds until the picture is there."""

    provider = "hf-fal-ai"
    asked = {"provider": "fal-ai", "model": "fal-ai/flux/schnell", "options": {"width": 768, "height": 512, "seed": 7}}
    size = (768, 512)
    refusal = Raised("HfHubHTTPError", 422)


class TestHuggingFaceReplicate(Routed):
    provider = "hf-replicate"
    asked = {"provider": "replicate", "model": "black-forest-labs/flux-schnell", "options": {"seed": 7}}
    size = (1024, 1024)
    # It takes a prediction that failed for one that took too long.
    refusal = Raised("TimeoutError", None, "No output generated")


class TestHuggingFaceTogether(Routed):
    provider = "hf-together"
    asked = {
        "provider": "together",
        "model": "black-forest-labs/FLUX.1-schnell",
        "options": {"width": 768, "height": 512, "seed": 7, "num_inference_steps": 4},
    }
    size = (768, 512)
    refusal = Raised("BadRequestError", 400, "NSFW")


class TestHuggingFaceNscale(Routed):
    provider = "hf-nscale"
    asked = {
        "provider": "nscale",
        "model": "black-forest-labs/FLUX.1-schnell",
        "options": {"width": 768, "height": 512},
    }
    size = (768, 512)
    refusal = Raised("BadRequestError", 400, "safety system")
