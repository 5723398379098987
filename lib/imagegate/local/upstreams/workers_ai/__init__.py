"""Stand-in for Cloudflare's Workers AI."""

from imagegate.local.upstreams.stand_in import StandIn
from imagegate.local.upstreams.workers_ai.app import WorkersAIStandIn
from imagegate.local.upstreams.workers_ai.faults import FAULTS

STAND_INS = (
    StandIn(
        name="workers-ai",
        speaks="Cloudflare's Workers AI",
        mount="/workers-ai",
        base_path="/workers-ai/client/v4",
        calls=("POST /accounts/{account}/ai/run/{model}",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `cloudflare`",
        secrets={"CLOUDFLARE_API_TOKEN": "stand-in", "CLOUDFLARE_ACCOUNT_ID": "stand-in-account"},
        build=lambda upstream: WorkersAIStandIn(upstream).app(),
    ),
)
