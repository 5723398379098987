"""Reads a queued graph (docs/protocols/comfyui.md#jobs), or says what is wrong with it."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from imagegate.local.upstreams.comfyui.faults import FAULTS
from imagegate.local.upstreams.directives import DirectiveError, parse_directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec

DEFAULT_SIDE = 512
SIDES = range(16, 4097)
MOST_PICTURES = 16


class GraphError(Exception):
    """A graph that is refused: the error's type and message, and perhaps a node's with details."""

    def __init__(self, type_: str, message: str, node: str = "", details: str = "") -> None:
        super().__init__(message)
        error = {"type": type_, "message": message, "details": details, "extra_info": {}}
        outputs = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
        self.body: dict[str, Any] = {
            "error": {**outputs, "details": "", "extra_info": {}} if node else error,
            "node_errors": {node: {"errors": [error], "dependent_outputs": [], "class_type": ""}} if node else {},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """A graph that was understood, as far as the stand-in goes."""

    id: str
    client: str
    graph: dict[str, Any]
    output: str
    """The node that saves the pictures."""
    picture: PictureSpec
    """The first; the others of the batch have the seeds that follow."""
    batch: int


def read_graph_request(body: Any) -> GraphRequest:
    """The graph from its parsed JSON. Raises GraphError."""
    reported = body if isinstance(body, dict) else {}
    graph = reported.get("prompt")
    if not isinstance(graph, dict) or not graph:
        refuse("no_prompt", "No prompt provided")
    sampler, output = _node(graph, "KSampler"), _name_of(graph, "SaveImage")
    positive, canvas = _linked(graph, sampler, "positive"), _linked(graph, sampler, "latent_image")
    prompt = str(positive.get("text") or "")
    try:
        directives = parse_directives(prompt, FAULTS)
    except DirectiveError as error:
        raise GraphError("invalid_prompt", "Invalid prompt", "positive", str(error)) from error
    seed = sampler.get("seed", secrets.randbelow(2**32))
    steps = sampler.get("steps", 0)
    picture = PictureSpec(
        prompt=prompt,
        seed=seed if type(seed) is int else refuse("invalid_input_type", "seed must be an INT"),
        width=_side(canvas, "width"),
        height=_side(canvas, "height"),
        steps=steps if type(steps) is int else refuse("invalid_input_type", "steps must be an INT"),
        format="png",
        directives=directives,
    )
    batch = canvas.get("batch_size", 1)
    if type(batch) is not int or not 1 <= batch <= MOST_PICTURES:
        refuse("value_bigger_than_max", f"batch_size: 1 to {MOST_PICTURES}")
    return GraphRequest(
        id=_id(reported.get("prompt_id")),
        client=str(reported.get("client_id") or ""),
        graph=graph,
        output=output,
        picture=picture,
        batch=batch,
    )


def refuse(type_: str, message: str) -> NoReturn:
    """Refuse the graph."""
    raise GraphError(type_, message)


def _id(reported: Any) -> str:
    """The id, which is the server's to choose unless it is told a canonical UUID."""
    if reported is None:
        return str(uuid.uuid4())
    try:
        canonical = str(uuid.UUID(reported)) == reported
    except (ValueError, AttributeError, TypeError):
        canonical = False
    if not canonical:
        refuse("invalid_prompt_id", "job id must be a UUID in canonical lowercase hyphenated form")
    return str(reported)


def _name_of(graph: Mapping[str, Any], class_type: str) -> str:
    found = [name for name, node in graph.items() if isinstance(node, dict) and node.get("class_type") == class_type]
    return str(found[0]) if found else refuse("prompt_no_outputs", "Prompt has no outputs")


def _node(graph: Mapping[str, Any], class_type: str) -> Mapping[str, Any]:
    inputs = graph[_name_of(graph, class_type)].get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _linked(graph: Mapping[str, Any], inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The inputs of the node that an input is connected to."""
    link = inputs.get(name)
    node = graph.get(str(link[0])) if isinstance(link, list) and link else None
    found = node.get("inputs") if isinstance(node, dict) else None
    return found if isinstance(found, dict) else refuse("required_input_missing", f"Required input is missing: {name}")


def _side(canvas: Mapping[str, Any], name: str) -> int:
    side = canvas.get(name, DEFAULT_SIDE)
    return side if type(side) is int and side in SIDES else refuse("value_bigger_than_max", f"{name}: a side in pixels")
