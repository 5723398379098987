"""`/docs`: the API's documentation in a browser, without other hosts. fastapi-offline brings the assets."""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}
_START = "start.js"
PATHS = ("/docs", *(f"/docs/{name}" for name in (*_ASSETS, _START)))
"""The page and its assets."""
# Its URLs are relative, so that the page works below a path too (API mappings of a custom domain).
_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>imagegate</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/{_START}"></script>
</html>
"""
# By default the page would send the document's address to a validator on another host.
_SCRIPT = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
  queryConfigEnabled: false,
});
"""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_DAY = 86_400


def add_docs(app: Starlette) -> None:
    """Add the page and its assets, which the OpenAPI document omits."""
    app.add_route("/docs", _page, name="docs")
    app.add_route(f"/docs/{_START}", _script, name="docs_script")
    for name in _ASSETS:
        app.add_route(f"/docs/{name}", _asset, name="docs_asset")


async def _page(request: Request) -> Response:
    return Response(_PAGE, media_type="text/html", headers={"content-security-policy": _POLICY})


async def _script(request: Request) -> Response:
    return Response(_SCRIPT, media_type="text/javascript")


async def _asset(request: Request) -> Response:
    name = request.scope["path"].rpartition("/")[2]
    body = (files("fastapi_offline") / "static" / name).read_bytes()
    headers = {"content-type": _ASSETS[name], "cache-control": f"public, max-age={_DAY}"}
    return Response(body, headers=headers)
