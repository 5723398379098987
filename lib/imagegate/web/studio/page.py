"""The routes of the studio. The page is public; all that it shows needs an API key, as for every client."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from imagegate.web.http import matches

if TYPE_CHECKING:
    from imagegate.web.services import Services

PAGE = "/"
ASSETS = "/studio/{digest}/{name}"
_TYPES = {"studio.js": "text/javascript; charset=utf-8", "studio.css": "text/css; charset=utf-8"}
_FOREVER = "public, max-age=31536000, immutable"


def is_public(method: str, path: str) -> bool:
    """True for requests that get the page and nothing else."""
    return method in ("GET", "HEAD") and (path == PAGE or path.startswith("/studio/"))


def add_studio(app: Starlette) -> None:
    """Add the page and its files, which the OpenAPI document omits."""
    app.add_route(PAGE, _page, name="studio")
    app.add_route(ASSETS, _asset, name="studio_asset")


async def _page(request: Request) -> Response:
    services = _require_studio(request)
    upload_url, _ = services.images.sign_upload("x", "image/png", 1, 1)
    headers = {"content-security-policy": content_policy(services.images.presign("x"), upload_url)}
    return _respond(request, "index.html", {"content-type": "text/html; charset=utf-8", **headers}, "no-cache")


async def _asset(request: Request) -> Response:
    _require_studio(request)
    name = request.path_params["name"]
    if name not in _TYPES:
        raise HTTPException(404)
    from imagegate.web.studio.bundle import load

    # A page of another version may still ask under its own digest, and must not keep what it gets.
    current = request.path_params["digest"] == load().digest
    return _respond(request, name, {"content-type": _TYPES[name]}, _FOREVER if current else "no-cache")


def _require_studio(request: Request) -> Services:
    services: Services = request.app.state.services
    if not services.studio:
        raise HTTPException(404)
    return services


def content_policy(picture_url: str, upload_url: str) -> str:
    """The page loads from this gateway, and pictures from the bucket that holds them too; code is never in the page.

    Its requests go to this gateway, and to the one address that takes large pictures with a signed form.
    """
    bucket = urlsplit(picture_url)
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: data: {bucket.scheme}://{bucket.netloc}",
        f"connect-src 'self' {upload_url}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(rules)


def _respond(request: Request, name: str, headers: dict[str, str], caching: str) -> Response:
    # A late import: the files are read when the page is asked for, not at a cold start.
    from imagegate.web.studio.bundle import load

    bundle = load()
    headers |= {"etag": f'W/"{bundle.digest}"', "cache-control": caching, "vary": "accept-encoding"}
    if matches(headers["etag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(bundle.compressed[name], headers=headers | {"content-encoding": "gzip"})
    return Response(bundle.plain[name], headers=headers)
