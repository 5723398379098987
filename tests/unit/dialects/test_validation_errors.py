"""Errors of fields have the name that the caller used, and no terms of Python."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from imagegate.dialects.openai import requests as openai_requests
from imagegate.dialects.openai_responses import requests as responses_requests
from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.yandexart import requests as yandexart_requests
from imagegate.domain.errors import InvalidRequest

PARSERS: dict[str, tuple[dict[str, Any], Callable[[bytes], Any]]] = {
    "openai": ({"prompt": "a"}, openai_requests.parse),
    "native": ({"prompt": "a", "model": "flux"}, operations_requests.parse),
    "responses": ({"input": "a", "model": "flux"}, lambda body: responses_requests.parse(body, 1_000)),
    "yandex": ({"modelUri": "art://f/flux", "messages": [{"text": "a"}]}, yandexart_requests.parse),
}
NOT_A_SIZE = "must be 'auto', WIDTHxHEIGHT in pixels such as '1024x768', or a ratio such as '16:9'"
SAID: list[tuple[str, dict[str, Any], str, str]] = [
    ("openai", {"prompt": ""}, "prompt", "must not be empty"),
    ("openai", {"prompt": "x" * 32_001}, "prompt", "must have at most 32000 characters"),
    ("openai", {"prompt": 5}, "prompt", "must be text"),
    ("openai", {"n": 1.5}, "n", "must be a whole number"),
    ("openai", {"n": "many"}, "n", "must be a whole number"),
    ("openai", {"n": 99}, "n", "must be at most 10"),
    ("openai", {"seed": 2**63}, "seed", "must be less than 9223372036854775808"),
    ("openai", {"guidance_scale": "much"}, "guidance_scale", "must be a number"),
    ("openai", {"stream": "maybe"}, "stream", "must be true or false"),
    ("openai", {"response_format": "x"}, "response_format", "must be 'url' or 'b64_json'"),
    ("openai", {"webhook": []}, "webhook", "must be an object"),
    ("native", {"metadata": {"": ""}}, "metadata", "a name in it must not be empty"),
    ("native", {"metadata": {"k" * 65: ""}}, "metadata", "a name in it must have at most 64 characters"),
    ("native", {"metadata": {"k": 1}}, "metadata.k", "must be text"),
    ("native", {"metadata": {str(at): "" for at in range(17)}}, "metadata", "must have at most 16 entries"),
    ("native", {"metadata": []}, "metadata", "must be an object"),
    ("native", {"size": []}, "size", NOT_A_SIZE),
    ("native", {"aspect_ratio": "wide"}, "aspect_ratio", "must be two numbers, such as '16:9'"),
    ("native", {"model": ""}, "model", "must not be empty"),
    ("responses", {"input": 5}, "input", "must be text or a list"),
    ("responses", {"input": None}, "input", "must be text or a list"),
    ("responses", {"input": []}, "input", "must not be empty"),
    ("responses", {"input": ""}, "input", "must not be empty"),
    ("responses", {"input": ["a"]}, "input.0", "must be an object"),
    ("responses", {"tool_choice": 5}, "tool_choice", "must be text or an object"),
    ("yandex", {"messages": ["a"]}, "messages.0", "must be an object"),
    ("yandex", {"messages": "a"}, "messages", "must be a list"),
    ("yandex", {"messages": []}, "messages", "must not be empty"),
    ("yandex", {"generationOptions": 5}, "generationOptions", "must be an object"),
    ("yandex", {"generationOptions": {"aspectRatio": "1:1"}}, "generationOptions.aspectRatio", "must be an object"),
    (
        "yandex",
        {"generationOptions": {"mimeType": "jpeg"}},
        "generationOptions.mimeType",
        "must be the media type of a picture, such as 'image/jpeg'",
    ),
    (
        "yandex",
        {"generationOptions": {"seed": ""}},
        "generationOptions.seed",
        "must be a number without blanks and underscores",
    ),
    ("yandex", {"generationOptions": {"seed": "x"}}, "generationOptions.seed", "must be a whole number"),
    ("yandex", {"generationOptions": {"seed": True}}, "generationOptions.seed", "must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "fields", "param", "said"), SAID, ids=lambda value: str(value)[:40])
def test_what_is_said(dialect: str, fields: dict[str, Any], param: str, said: str) -> None:
    good, parse = PARSERS[dialect]
    parse(json.dumps(good).encode())
    with pytest.raises(InvalidRequest) as caught:
        parse(json.dumps(good | fields).encode())
    assert (caught.value.param, caught.value.message) == (param, f"Invalid value for '{param}': {said}.")


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(InvalidRequest, match="Unknown parameter: 'siez'") as caught:
        operations_requests.parse(b'{"prompt": "a", "model": "flux", "siez": 1}')
    assert (caught.value.param, caught.value.remedy) == ("siez", "Leave it out.")
