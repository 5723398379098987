"""Stand-ins for what is behind Hugging Face's router, each in its own protocol (docs/protocols/huggingface.md)."""

from collections.abc import Callable

from starlette.types import ASGIApp

from imagegate.local.upstreams.directives import FaultSet
from imagegate.local.upstreams.fal import faults as fal_faults
from imagegate.local.upstreams.fal.app import FalFace, FalStandIn
from imagegate.local.upstreams.openai import faults as openai_faults
from imagegate.local.upstreams.openai.app import OpenAIStandIn
from imagegate.local.upstreams.openai.together import TOGETHER
from imagegate.local.upstreams.replicate import faults as replicate_faults
from imagegate.local.upstreams.replicate.app import ReplicateStandIn
from imagegate.local.upstreams.stand_in import StandIn
from imagegate.local.upstreams.upstream import Upstream

CREDITS_USED = "You have exceeded your monthly included credits for Inference Providers."
FAL = FalFace(
    schemes=("bearer",),
    public_base="https://queue.fal.run",
    synchronous=True,
    no_credit=(402, {"error": CREDITS_USED}),
)


def routed(
    provider: str, path: str, calls: tuple[str, ...], faults: FaultSet, build: Callable[[Upstream], ASGIApp]
) -> StandIn:
    """The stand-in for one provider behind the router."""
    return StandIn(
        name=f"hf-{provider}",
        speaks=f"{provider} behind Hugging Face",
        mount=f"/hf-{provider}/{provider}",
        base_path=f"/hf-{provider}/{provider}{path}",
        calls=calls,
        faults=faults,
        proof="official client",
        proven_by="the package `huggingface_hub`",
        secrets={"HF_TOKEN": "stand-in"},
        build=build,
    )


STAND_INS = (
    routed("fal-ai", "", ("POST /{model}",), fal_faults.FAULTS, lambda upstream: FalStandIn(upstream, FAL).app()),
    routed(
        "replicate",
        "/v1",
        ("POST /models/{owner}/{name}/predictions",),
        replicate_faults.FAULTS,
        lambda upstream: ReplicateStandIn(upstream).app(),
    ),
    routed(
        "together",
        "/v1",
        ("POST /images/generations",),
        openai_faults.FAULTS,
        lambda upstream: OpenAIStandIn(upstream, TOGETHER).app(),
    ),
    routed(
        "nscale",
        "/v1",
        ("POST /images/generations",),
        openai_faults.FAULTS,
        lambda upstream: OpenAIStandIn(upstream).app(),
    ),
)
