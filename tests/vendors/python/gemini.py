"""Google's package, at the Gemini API or at Vertex."""

from google import genai
from google.genai import types
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `generate_content`."""
    options = types.HttpOptions(base_url=asked["base_url"])
    client = genai.Client(vertexai=asked["vertex"], api_key="any", http_options=options)
    answer = client.models.generate_content(
        model="gemini-3-pro-image",
        contents=asked["prompt"],
        config=types.GenerateContentConfig(
            response_modalities=["IMAGE"], seed=7, image_config=types.ImageConfig(aspect_ratio="16:9")
        ),
    )
    if not answer.candidates:
        raise ValueError(answer.prompt_feedback.block_reason)
    return [part.inline_data.data for part in answer.candidates[0].content.parts if part.inline_data]


run(generate)
