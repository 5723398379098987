"""boto3 at the stand-in for Amazon Bedrock."""

from vendors.cases import FourCases, Raised


class TestBedrock(FourCases):
    script = "bedrock.py"
    provider = "bedrock"
    size = (1344, 768)
    refusal = Raised("ValueError", None, "Filter reason: prompt")
    throttle = Raised("ThrottlingException", 429)
