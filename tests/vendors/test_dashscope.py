"""DashScope's stand-ins with Alibaba's package."""

from vendors.cases import FourCases, Raised

REFUSED = Raised("Refused", 400, "DataInspectionFailed")
THROTTLED = Raised("Refused", 429, "Throttling")


class TestMultiModalConversation(FourCases):
    """Qwen-Image: the call is held."""

    script = "dashscope_images.py"
    provider = "dashscope"
    asked = {"by": "MultiModalConversation", "model": "qwen-image-2.0", "options": {"size": "1024*768", "n": 2}}
    pictures = 2
    size = (1024, 768)
    refusal = REFUSED
    throttle = THROTTLED


class TestImageGeneration(FourCases):
    """Wan 2.6: a task, in messages."""

    script = "dashscope_images.py"
    provider = "dashscope-tasks"
    asked = {"by": "ImageGeneration", "model": "wan2.6-t2i", "options": {"size": "1280*1280"}}
    size = (1280, 1280)
    refusal = REFUSED
    throttle = THROTTLED


class TestImageSynthesis(FourCases):
    """Older Wan: a task, from a bare prompt."""

    script = "dashscope_images.py"
    provider = "dashscope-tasks"
    asked = {"by": "ImageSynthesis", "model": "wan2.2-t2i-flash", "options": {"size": "1024*1024", "n": 2}}
    pictures = 2
    size = (1024, 1024)
    refusal = Raised("InvalidTask", words="DataInspectionFailed")
    throttle = Raised("InvalidTask", words="Throttling")
