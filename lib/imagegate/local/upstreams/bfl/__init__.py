"""Stand-in for Black Forest Labs' API."""

from imagegate.local.upstreams.bfl.app import BflStandIn
from imagegate.local.upstreams.bfl.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="bfl",
        speaks="Black Forest Labs",
        mount="/bfl",
        base_path="/bfl/v1",
        calls=("POST /{model}",),
        faults=FAULTS,
        proof="third-party client",
        proven_by="the package `@ai-sdk/black-forest-labs`",
        secrets={"BFL_API_KEY": "stand-in"},
        build=lambda upstream: BflStandIn(upstream).app(),
    ),
)
