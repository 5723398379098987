"""Stand-in for Amazon Bedrock."""

from imagegate.local.upstreams.bedrock.app import BedrockStandIn
from imagegate.local.upstreams.bedrock.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="bedrock",
        speaks="Amazon Bedrock",
        mount="/bedrock",
        base_path="/bedrock",
        calls=("POST /model/{model}/invoke",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `boto3`",
        build=lambda upstream: BedrockStandIn(upstream).app(),
    ),
)
