"""What the OpenAPI document says of keys: the schemes, and the answers to a request without a valid one.

It is added to every route here, so that no route can be documented without it.
"""

from typing import Any

from imagegate.web import openapi_parts

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
_PACE = {
    name: {"schema": {"type": "string"}, "description": what}
    for name, what in {
        "Retry-After": "Seconds; until midnight UTC when the day's budget is used up.",
        "x-ratelimit-limit-requests": "Requests a minute. Like the next two on every answer to a limited key.",
        "x-ratelimit-remaining-requests": "How many more may be made at once.",
        "x-ratelimit-reset-requests": "When all of them may be again, as `1s`, `6m0s` or `850ms`.",
        "x-should-retry": "`false` when the day's budget is used up.",
    }.items()
}
_ERRORS = {
    "Operations": openapi_parts.problems,
    "OpenAI Images": openapi_parts.openai_errors,
    "YandexART": openapi_parts.yandex_errors,
}


def with_access(name: str, documented: dict[str, Any]) -> dict[str, Any]:
    """What the contract says of the route `name`, with what a key has to do with it."""
    errors = openapi_parts.wait_errors if name.startswith("wait") else _ERRORS[documented["tags"][0]]
    refusals = errors(s401="No API key, or none that is valid (deployments with `Access: open` ask for none).")
    if name in _OF_A_MODEL:
        refusals |= errors(s403="The API key is not for this model.")
    refusals |= errors(s500="imagegate broke down; nothing accepted is lost.")
    if 400 not in documented["responses"]:
        refusals |= errors(s400="The path or the query is not UTF-8, or holds a character that is refused.")
    others = documented["responses"].get(429, {}).get("description", "")
    refusals |= errors(
        s429=f"The API key has used what it may for now, or today: Retry-After says which. {others}".strip()
    )
    refusals[429]["headers"] = _PACE
    more = dict(documented.get("openapi_extra", {}))
    if name in _SIGNED:
        more["security"] = [*SECURITY, {"SignedLink": []}]
    return {**documented, "responses": {**documented["responses"], **refusals}, "openapi_extra": more}
