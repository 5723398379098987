"""Hugging Face's package: `text_to_image` through its router.

It takes the router's address from a constant. What a provider calls a model it reads from the Hub, or from the table
that it has for use without the Hub.
"""

import io

from huggingface_hub import InferenceClient, constants
from huggingface_hub.hf_api import InferenceProviderMapping
from huggingface_hub.inference._providers import _common
from run import Asked, run

MODEL = "black-forest-labs/FLUX.1-schnell"


def generate(asked: Asked) -> list[bytes]:
    """One picture by `provider`, which calls the model `model`; `options` are further arguments."""
    constants.INFERENCE_PROXY_TEMPLATE = asked["base_url"] + "/{provider}"
    mapping = InferenceProviderMapping(
        provider=asked["provider"], hf_model_id=MODEL, providerId=asked["model"], status="live", task="text-to-image"
    )
    _common.HARDCODED_MODEL_INFERENCE_MAPPING.setdefault(asked["provider"], {})[MODEL] = mapping
    client = InferenceClient(provider=asked["provider"], api_key="hf_any", timeout=30)
    picture = client.text_to_image(asked["prompt"], model=MODEL, **asked.get("options", {}))
    body = io.BytesIO()
    picture.save(body, "PNG")
    return [body.getvalue()]


run(generate)
