"""Stand-in for FLUX.1-schnell Spaces."""

from imagegate.local.upstreams.gradio.app import GradioStandIn
from imagegate.local.upstreams.gradio.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

_PROVEN_BY = "`make test-gradio`: the same tests on Gradio"

STAND_INS = (
    StandIn(
        name="black-forest-labs",
        speaks="FLUX.1-schnell Space, Gradio 6",
        mount="/black-forest-labs",
        base_path="/black-forest-labs",
        calls=("POST /gradio_api/call/infer",),
        faults=FAULTS,
        proof="real server",
        proven_by=f"{_PROVEN_BY} 6",
        build=lambda upstream: GradioStandIn(upstream, generation=6).app(),
    ),
    StandIn(
        name="voodoohop",
        speaks="FLUX.1-schnell Space, Gradio 4",
        mount="/voodoohop",
        base_path="/voodoohop",
        calls=("POST /call/infer",),
        faults=FAULTS,
        proof="real server",
        proven_by=f"{_PROVEN_BY} 4",
        build=lambda upstream: GradioStandIn(upstream, generation=4).app(),
    ),
)
