"""Stand-in for GigaChat."""

from imagegate.local.upstreams.gigachat.app import GigaChatStandIn
from imagegate.local.upstreams.gigachat.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="gigachat",
        speaks="GigaChat",
        mount="/gigachat",
        base_path="/gigachat/api/v1",
        calls=("POST /chat/completions",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `gigachat`",
        secrets={"GIGACHAT_CREDENTIALS": "c3RhbmQ6aW4="},
        build=lambda upstream: GigaChatStandIn(upstream).app(),
        further_base_paths={"auth_url": "/gigachat/api/v2/oauth"},
    ),
)
