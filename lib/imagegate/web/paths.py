"""Paths below base URLs as people configure them, brought to those that the routes have."""

from starlette.types import ASGIApp, Receive, Scope, Send

BASE_OF_API = "/api"
"""A base URL of every route, the wait route included, that API Gateway passes to the api function."""
_PREFIXES = ("v1", "api", "openai")
"""Segments that base URLs end with, in any number and order."""
_ENDPOINTS = (
    ("images", "generations"),
    ("images", "generate"),
    ("images", "edits"),
    ("images", "variations"),
    ("media", "generate"),
    ("chat", "completions"),
)
"""Paths that are configured as a base URL by mistake, and so come twice."""
_COLLECTIONS = ("models", "responses")
"""Resources that are understood without a `v1`, with what follows them."""
_OF_THE_GATEWAY = ("operations", "usage", "responses", "chat", "images")
"""Resources that keep what follows them, once they are below a `v1`."""


class CanonicalPaths:
    """ASGI middleware around everything: the dialect, the key's rights and the route are chosen by the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under the path of its route, where it is unambiguous which one is meant."""
        if scope["type"] == "http" and (path := canonical_path(scope["path"])) != scope["path"]:
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)


def canonical_path(path: str) -> str:
    """The path of the route that is meant; `path` itself where that is not clear."""
    segments = [segment.strip(" ") for segment in path.split("/") if segment.strip(" ")]
    if path == "/" + "/".join(segments) and _is_by_provider(segments):
        return path
    if "deployments" in segments and set(segments[: segments.index("deployments")]) <= set(_PREFIXES):
        return "/openai/" + "/".join(segments[segments.index("deployments") :])
    prefix, rest = _without_base(segments)
    if "v1" in prefix and not rest:
        return "/v1"
    if rest == ["mcp"]:
        return "/mcp"
    if tuple(rest) in _ENDPOINTS or (rest and rest[0] in _COLLECTIONS):
        return "/v1/" + "/".join(rest)
    if "v1" in prefix and rest[:1] and rest[0] in _OF_THE_GATEWAY and not path.endswith("/"):
        return "/v1/" + "/".join(rest)
    return path


def _is_by_provider(segments: list[str]) -> bool:
    """True for g4f's `/api/{provider}/images/generations`."""
    return len(segments) == 4 and segments[0] == "api" and segments[1] not in _PREFIXES


def _without_base(segments: list[str]) -> tuple[list[str], list[str]]:
    """The segments of the base URL, and those of the resource."""
    at = 0
    while at < len(segments):
        if segments[at] in _PREFIXES:
            at += 1
        elif tuple(segments[at : at + 2]) in _ENDPOINTS and len(segments) > at + 2:
            at += 2
        else:
            break
    return segments[:at], segments[at:]
