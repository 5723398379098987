"""Stand-in for fal."""

from imagegate.local.upstreams.fal.app import FalStandIn
from imagegate.local.upstreams.fal.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="fal",
        speaks="fal's queue",
        mount="/fal",
        base_path="/fal",
        calls=("POST /{model}",),
        faults=FAULTS,
        proof="official client",
        proven_by="the packages `fal-client` for Python and `@fal-ai/client` for Node",
        secrets={"FAL_KEY": "stand-in"},
        build=lambda upstream: FalStandIn(upstream).app(),
    ),
)
