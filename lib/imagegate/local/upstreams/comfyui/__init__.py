"""Stand-in for a ComfyUI server."""

from imagegate.local.upstreams.comfyui.app import ComfyUIStandIn
from imagegate.local.upstreams.comfyui.faults import FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="comfyui",
        speaks="ComfyUI",
        mount="/comfyui",
        base_path="/comfyui/api",
        calls=("POST /prompt",),
        faults=FAULTS,
        proof="third-party client",
        proven_by="the package `comfy_api_simplified`",
        secrets={"COMFY_API_KEY": "stand-in"},
        build=lambda upstream: ComfyUIStandIn(upstream).app(),
    ),
)
