"""The package `webuiapi`, by others, at the stand-in for AUTOMATIC1111."""

from vendors.cases import Client, FourCases, Raised


class TestWebuiapi(FourCases):
    """It asks for the scripts first. The server has no filter, so that what it refuses is a request."""

    script = "webui.py"
    provider = "sdapi"
    asked = {"options": {"width": 768, "height": 512, "steps": 10, "seed": 7}}
    size = (768, 512)
    refusal = Raised("RuntimeError", words="steps")
    throttle = Raised("RuntimeError", words="429")

    def test_a_refusal(self, client: Client) -> None:
        """The client tells what is wrong with the request."""
        wrong = {"options": {"steps": 1000}}
        self.refusal.check(client(self.script, "/sdapi/sdapi/v1", prompt="a fox", **wrong))
