"""What the OpenAPI document says of keys: the schemes, and the answers to a request without a valid one.

It is added to every route here, so that no route can be documented without it.
"""

from typing import Any

from imagegate.web import contract_words

SCHEMES: dict[str, Any] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer ig_…`"},
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: Api-Key ig_…`, as YandexART's clients send it.",
    },
    "XApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "`x-api-key: ig_…`"},
    "SignedLink": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "In links that imagegate hands out; opens that one path until it expires.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{"Bearer": []}, {"ApiKey": []}, {"XApiKey": []}]
_SIGNED = {"wait", "wait_by_post", "image"}
_OF_A_MODEL = {"create", "retry", "generate", "edit", "vary", "model", "yandex_generate"}
_ERRORS = {
    "Operations": contract_words.problems,
    "OpenAI Images": contract_words.openai_errors,
    "YandexART": contract_words.yandex_errors,
}


def added(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """What the contract says of the route `name`, with what a key has to do with it."""
    # Whoever is on the wait route was sent there by another dialect, most likely OpenAI's.
    errors = contract_words.openai_errors if name.startswith("wait") else _ERRORS[words["tags"][0]]
    refusals = errors(s401="No API key, or none that is valid (deployments with `Access: open` ask for none).")
    if name in _OF_A_MODEL:
        refusals |= errors(s403="The API key is not for this model.")
    refusals |= errors(s500="imagegate broke down; nothing accepted is lost.")
    more = dict(words.get("openapi_extra", {}))
    if name in _SIGNED:
        more["security"] = [*SECURITY, {"SignedLink": []}]
    return {**words, "responses": {**words["responses"], **refusals}, "openapi_extra": more}
