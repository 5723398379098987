"""OpenAI's package reading a stream: the partial pictures, in the order in which they come, and then the picture."""

import base64

import openai
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One streamed call of `images.generate`; `options` are its keyword arguments."""
    client = openai.OpenAI(base_url=asked["base_url"], api_key="any")
    events = list(client.images.generate(prompt=asked["prompt"], stream=True, **asked["options"]))
    partials, [completed] = events[:-1], events[-1:]
    if [event.type for event in partials] != ["image_generation.partial_image"] * len(partials):
        raise ValueError("the picture is not the last event")
    if [event.partial_image_index for event in partials] != list(range(len(partials))):
        raise ValueError("the partial pictures are out of order")
    if completed.type != "image_generation.completed" or not completed.usage.output_tokens:
        raise ValueError("the last event is not the picture with its tokens")
    return [base64.b64decode(event.b64_json) for event in events]


run(generate)
