"""Sber's package: a chat that ends in a picture, and the file it names."""

import base64
import re

from gigachat import GigaChat
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One chat, as the package's own examples have it."""
    base_url = asked["base_url"]
    auth_url = base_url.replace("/v1", "/v2/oauth")
    with GigaChat(base_url=base_url, auth_url=auth_url, credentials="YW55OmtleQ==", model=asked["model"]) as giga:
        messages = [
            {"role": "system", "content": "Ты — художник"},
            {"role": "user", "content": f"Нарисуй: {asked['prompt']}"},
        ]
        choice = giga.chat({"messages": messages, "function_call": "auto"}).choices[0]
        files = re.findall(r'<img src="([^"]+)"', choice.message.content)
        if not files:
            raise RuntimeError(f"{choice.finish_reason}: {choice.message.content}")
        return [base64.b64decode(giga.get_image(file).content) for file in files]


run(generate)
