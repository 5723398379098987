"""fal's package: its `subscribe`. The host it speaks to is a variable of the environment."""

import fal_client
from run import Asked, fetch, run


def generate(asked: Asked) -> list[bytes]:
    """Queue a request, ask about it until it is completed, and fetch its result."""
    client = fal_client.SyncClient(key="id:secret")
    result = client.subscribe(asked["model"], {"prompt": asked["prompt"], **asked["input"]})
    return [fetch(image["url"]) for image in result["images"]]


run(generate)
