"""Stand-ins for DashScope: the calls that are held, and tasks."""

from imagegate.local.upstreams.dashscope.app import DashScopeStandIn
from imagegate.local.upstreams.dashscope.faults import FAULTS, TASK_FAULTS
from imagegate.local.upstreams.stand_in import StandIn

STAND_INS = (
    StandIn(
        name="dashscope",
        speaks="DashScope, Qwen-Image",
        mount="/dashscope",
        base_path="/dashscope/api/v1",
        calls=("POST /services/aigc/multimodal-generation/generation",),
        faults=FAULTS,
        proof="official client",
        proven_by="the package `dashscope`",
        secrets={"DASHSCOPE_API_KEY": "stand-in"},
        build=lambda upstream: DashScopeStandIn(upstream).app(),
    ),
    StandIn(
        name="dashscope-tasks",
        speaks="DashScope, tasks of Wan",
        mount="/dashscope-tasks",
        base_path="/dashscope-tasks/api/v1",
        calls=("POST /services/aigc/image-generation/generation", "POST /services/aigc/text2image/image-synthesis"),
        faults=TASK_FAULTS,
        proof="official client",
        proven_by="the package `dashscope`",
        secrets={"DASHSCOPE_API_KEY": "stand-in"},
        build=lambda upstream: DashScopeStandIn(upstream).app(),
    ),
)
