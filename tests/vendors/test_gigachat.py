"""GigaChat's stand-in with Sber's package."""

from vendors.cases import FourCases, Raised


class TestGigachat(FourCases):
    """`gigachat`, which fetches its token first and does not repeat anything."""

    script = "gigachat_drawing.py"
    provider = "gigachat"
    asked = {"model": "GigaChat-2-Max"}
    size = (1024, 1024)
    refusal = Raised("RuntimeError", words="blacklist")
    throttle = Raised("RateLimitError", 429, "Too many requests")
