"""Alibaba's package: a held call, or a task that it asks about until it has ended."""

import os

from run import Asked, fetch, run


class Refused(Exception):
    """The package does not raise for refusals: it returns them."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def generate(asked: Asked) -> list[bytes]:
    """One call, by the class that `asked` names."""
    os.environ["DASHSCOPE_HTTP_BASE_URL"] = asked["base_url"]
    import dashscope  # reads the variable
    from dashscope.aigc.image_generation import ImageGeneration, Message

    said = {"role": "user", "content": [{"text": asked["prompt"]}]}
    options = {"api_key": "any", "model": asked["model"], **asked.get("options", {})}
    if asked["by"] == "MultiModalConversation":
        answer = dashscope.MultiModalConversation.call(messages=[said], **options)
    elif asked["by"] == "ImageGeneration":
        started = ImageGeneration.async_call(messages=[Message(**said)], **options)
        answer = ImageGeneration.wait(started, api_key="any") if started.status_code == 200 else started
    else:
        answer = dashscope.ImageSynthesis.call(prompt=asked["prompt"], **options)
    return [fetch(address) for address in addresses(answer)]


def addresses(answer: Asked) -> list[str]:
    """Where the pictures are. Raises Refused when there are none."""
    output = answer.output or {}
    if answer.status_code != 200 or output.get("task_status") == "FAILED":
        raise Refused(answer.status_code, f"{answer.code or output.get('code')}: {answer.message}")
    results = [result["url"] for result in output.get("results") or ()]
    contents = [choice["message"]["content"] for choice in output.get("choices") or ()]
    return results or [part["image"] for content in contents for part in content]


run(generate)
