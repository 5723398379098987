"""Stand-in for Ideogram."""

from imagegate.local.upstreams.ideogram.app import IdeogramStandIn
from imagegate.local.upstreams.ideogram.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="ideogram",
        speaks="Ideogram",
        mount="/ideogram",
        base_path="/ideogram/v2",
        calls=("POST /image/generate/{model}",),
        faults=FAULTS,
        proof="recordings",
        proven_by="answers in the documentation (docs/protocols/ideogram.md)",
        secrets={"IDEOGRAM_API_KEY": "stand-in"},
        build=lambda upstream: IdeogramStandIn(upstream).app(),
    ),
)
