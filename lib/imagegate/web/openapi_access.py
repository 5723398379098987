"""What the OpenAPI document says of API keys: how they are sent, and the answers to a request without a valid one.

The builder adds it to every route, so that no route can be documented without it.
"""

from typing import Any

from imagegate.web.openapi_parts import Documented, Responses

SCHEMES: dict[str, Any] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer ig_…`"},
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: Api-Key ig_…`, as YandexART's clients send it.",
    },
    "XApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "`x-api-key: ig_…`"},
    "AzureApiKey": {"type": "apiKey", "in": "header", "name": "api-key", "description": "`api-key: ig_…`, as Azure's."},
    "SignedLink": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "In links that imagegate returns; opens that one path until it expires.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{"Bearer": []}, {"ApiKey": []}, {"XApiKey": []}, {"AzureApiKey": []}]
SECURITY_WITH_LINKS = [*SECURITY, {"SignedLink": list[str]()}]
_RATE_LIMIT_HEADERS = {
    name: {"schema": {"type": "string"}, "description": description}
    for name, description in {
        "Retry-After": "Seconds; until midnight UTC when the day's budget is used up.",
        "x-ratelimit-limit-requests": "Requests a minute. This header and the next two are on every answer to a "
        "limited key.",
        "x-ratelimit-remaining-requests": "Requests that are left at the moment.",
        "x-ratelimit-reset-requests": "Time until all of them are left again, as `1s`, `6m0s` or `850ms`.",
        "x-should-retry": "`false` when the day's budget is used up.",
    }.items()
}


def with_access(documented: Documented) -> Responses:
    """The route's answers, with those about API keys, faults of the gateway and the URL."""
    errors, responses = documented.errors, dict(documented.responses)
    responses |= errors(s401="No API key, or an invalid one (deployments with `Access: open` require none).")
    if documented.requires_model:
        responses |= errors(s403="The API key is not for this model.")
    responses |= errors(s500="imagegate failed; nothing accepted is lost.")
    if 400 not in responses:
        responses |= errors(s400="The path or the query is not UTF-8, or holds a forbidden character.")
    other = documented.responses.get(429, {}).get("description", "")
    message = f"The API key has reached a limit per minute or per day: Retry-After says which. {other}"
    responses |= errors(s429=message.strip())
    responses[429]["headers"] = _RATE_LIMIT_HEADERS
    return responses
