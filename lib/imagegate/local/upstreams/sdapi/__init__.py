"""Stand-in for AUTOMATIC1111, Forge and SD.Next."""

from imagegate.local.upstreams.sdapi.app import SdapiStandIn
from imagegate.local.upstreams.sdapi.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="sdapi",
        speaks="AUTOMATIC1111, Forge",
        mount="/sdapi",
        base_path="/sdapi/sdapi/v1",
        calls=("POST /txt2img",),
        faults=FAULTS,
        proof="third-party client",
        proven_by="the package `webuiapi`",
        secrets={"SDAPI_URL": "https://stand-in.example.com"},
        build=lambda upstream: SdapiStandIn(upstream).app(),
    ),
)
