"""OpenAI's package at the stand-ins for OpenAI and for the servers whose documentation names it as their client."""

from vendors.cases import FourCases, Raised


class TestOpenAI(FourCases):
    script = "openai_images.py"
    provider = "openai"
    asked = {"options": {"model": "gpt-image-2", "size": "512x320"}}
    size = (512, 320)
    refusal = Raised("BadRequestError", 400, "safety system")
    throttle = Raised("RateLimitError", 429)


class TestOpenAIStream(TestOpenAI):
    """Two partial pictures come before the picture, all of the same size."""

    script = "openai_stream.py"
    asked = {"options": {"model": "gpt-image-2", "size": "512x320", "partial_images": 2}}
    pictures = 3


class TestXai(FourCases):
    script = "openai_images.py"
    provider = "xai"
    asked = {"options": {"model": "grok-imagine-image", "n": 2, "extra_body": {"aspect_ratio": "16:9"}}}
    pictures = 2
    size = (1360, 768)
    refusal = Raised("ValueError", None, "no picture")  # to the package, such an answer is a success
    throttle = Raised("RateLimitError", 429)


class TestAzureOpenAI(FourCases):
    script = "openai_images.py"
    provider = "azure-openai"
    asked = {"options": {"model": "my-deployment", "size": "1024x768"}}
    size = (1024, 768)
    refusal = Raised("BadRequestError", 400, "content filter")
    throttle = Raised("RateLimitError", 429)


class TestAzureOpenAIStream(TestAzureOpenAI):
    script = "openai_stream.py"
    asked = {"options": {"model": "my-deployment", "size": "1024x768", "partial_images": 1}}
    pictures = 2


class TestRecraft(FourCases):
    script = "openai_images.py"
    provider = "recraft"
    asked = {"options": {"model": "recraftv4_1", "extra_body": {"size": "16:9"}}}
    size = (1344, 768)
    refusal = Raised("BadRequestError", 400, "content policy")
    throttle = Raised("RateLimitError", 429)


class TestYandexAIStudio(FourCases):
    """The folder goes where OpenAI has the project."""

    script = "openai_images.py"
    provider = "yandex-ai-studio"
    asked = {"project": "folder", "options": {"model": "art://folder/aliceai-image-art-3.0", "size": "1792x1024"}}
    size = (1344, 768)
    refusal = Raised("BadRequestError", 400, "terms of use")
    throttle = Raised("RateLimitError", 429)


class TestDeepInfra(FourCases):
    script = "openai_images.py"
    provider = "deepinfra"
    asked = {"options": {"model": "black-forest-labs/FLUX-2-klein-4b", "size": "512x512", "n": 1}}
    size = (512, 512)
    refusal = Raised("BadRequestError", 400, "content filter")
    throttle = Raised("RateLimitError", 429)
