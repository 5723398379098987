"""Google's package at the stand-ins for the Gemini API and Vertex."""

from vendors.cases import FourCases, Raised


class TestGemini(FourCases):
    script = "gemini.py"
    provider = "gemini"
    base_path = "/gemini"
    asked = {"vertex": False}
    size = (1344, 768)
    refusal = Raised("ValueError", None, "PROHIBITED_CONTENT")
    throttle = Raised("ClientError", 429, "RESOURCE_EXHAUSTED")


class TestVertex(FourCases):
    script = "gemini.py"
    provider = "vertex"
    base_path = "/vertex"
    asked = {"vertex": True}
    size = (1344, 768)
    refusal = Raised("ValueError", None, "PROHIBITED_CONTENT")
    throttle = Raised("ClientError", 429, "RESOURCE_EXHAUSTED")
