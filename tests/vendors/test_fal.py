"""fal's package for Node at the stand-in for fal's queue."""

from vendors.cases import FourCases, Raised


class TestFalForNode(FourCases):
    script = "fal.mjs"
    provider = "fal"
    asked = {
        "model": "fal-ai/flux/schnell",
        "input": {"image_size": {"width": 768, "height": 512}, "num_images": 2},
    }
    pictures = 2
    size = (768, 512)
    refusal = Raised("ValidationError", 422)
    throttle = Raised("ApiError", 429)
