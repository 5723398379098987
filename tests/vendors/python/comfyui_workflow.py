"""The usual third-party client of ComfyUI servers: a graph is queued, a WebSocket says when it has ended."""

from comfy_api_simplified import ComfyApiWrapper, ComfyWorkflowWrapper
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One `queue_and_wait_images`, with the words put into the graph by its node's title."""
    graph = ComfyWorkflowWrapper(asked["graph"])
    graph.set_node_param("Prompt", "text", asked["prompt"])
    images = ComfyApiWrapper(asked["base_url"]).queue_and_wait_images(graph, "Save Image")
    return list(images.values())


run(generate)
