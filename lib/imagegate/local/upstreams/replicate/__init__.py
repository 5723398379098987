"""Stand-in for Replicate."""

from imagegate.local.upstreams.replicate.app import ReplicateStandIn
from imagegate.local.upstreams.replicate.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="replicate",
        speaks="Replicate",
        mount="/replicate",
        base_path="/replicate/v1",
        calls=("POST /models/{owner}/{name}/predictions", "POST /predictions"),
        faults=FAULTS,
        proof="official client",
        proven_by="the packages `replicate` for Python and Node",
        secrets={"REPLICATE_API_TOKEN": "stand-in"},
        build=lambda upstream: ReplicateStandIn(upstream).app(),
    ),
)
