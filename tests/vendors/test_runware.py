"""Runware's stand-in with Runware's package."""

from vendors.cases import FourCases, Raised


class TestRunware(FourCases):
    """`runware-sdk` over HTTP; it repeats what is throttled three times, with the same UUID."""

    script = "runware_task.py"
    provider = "runware"
    asked = {"options": {"width": 512, "height": 320, "numberResults": 2, "includeCost": True}}
    pictures = 2
    size = (512, 320)
    refusal = Raised("RunwareError", 400, "safety")
    throttle = Raised("RunwareError", 429, "rateLimit")


class TestRunwareWaiting(FourCases):
    """The same, held until the picture is there."""

    script = "runware_task.py"
    provider = "runware"
    asked = {"options": {"width": 512, "height": 512, "deliveryMethod": "sync"}}
    size = (512, 512)
    refusal = Raised("RunwareError", 400, "safety")
    throttle = Raised("RunwareError", 429, "rateLimit")
