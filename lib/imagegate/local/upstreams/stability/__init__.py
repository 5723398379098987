"""Stand-in for Stability AI."""

from imagegate.local.upstreams.stability.app import StabilityStandIn
from imagegate.local.upstreams.stability.requests import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="stability",
        speaks="Stability AI",
        mount="/stability",
        base_path="/stability/v2beta/stable-image/generate",
        calls=("POST /core", "POST /ultra", "POST /sd3"),
        faults=FAULTS,
        proof="recordings",
        proven_by="answers in the documentation (docs/protocols/stability.md)",
        secrets={"STABILITY_API_KEY": "stand-in"},
        build=lambda upstream: StabilityStandIn(upstream).app(),
    ),
)
