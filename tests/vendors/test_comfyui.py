"""ComfyUI's stand-in with `comfy_api_simplified`, whose addresses all begin at the server's root."""

from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from imagegate.local.upstreams.app import build_app
from imagegate.local.upstreams.serving import serving
from imagegate.providers.comfyui_graphs import fill_graph, read_graph
from vendors.cases import Client, FourCases, Raised
from vendors.conftest import client_of

VALUES = {"width": 512, "height": 320, "count": 2, "seed": 7, "model": "flux1-schnell-fp8.safetensors", "id": "vendor"}


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[str]:
    """The stand-ins, ComfyUI's at the root."""
    stand_ins = build_app(latency_seconds=0.1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        moved = scope if scope["path"].startswith("/_standin") else {**scope, "path": f"/comfyui{scope['path']}"}
        await stand_ins(moved, receive, send)

    with serving(app) as url:
        yield url


@pytest.fixture(scope="module")
def client(stand_ins: str) -> Client:
    """Of these stand-ins; that of the session is of the others."""
    return client_of(stand_ins)


class TestComfyApiSimplified(FourCases):
    """It tells no status but in words, and of a job that failed only that it has."""

    script = "comfyui_workflow.py"
    provider = "comfyui"
    base_path = ""
    asked = {"graph": fill_graph(read_graph("flux-schnell"), VALUES)}
    pictures = 2
    size = (512, 320)
    refusal = Raised("ComfyApiError", words="Execution error occurred")
    throttle = Raised("ComfyApiError", words="429")
