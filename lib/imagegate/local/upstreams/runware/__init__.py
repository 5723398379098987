"""Stand-in for Runware."""

from imagegate.local.upstreams.runware.app import RunwareStandIn
from imagegate.local.upstreams.runware.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="runware",
        speaks="Runware",
        mount="/runware",
        base_path="/runware/v1",
        calls=("POST (an array of tasks)",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `runware-sdk`, over HTTP",
        secrets={"RUNWARE_API_KEY": "stand-in"},
        build=lambda upstream: RunwareStandIn(upstream).app(),
    ),
)
