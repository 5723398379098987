"""What every request passes before its route, in both applications."""

from starlette.applications import Starlette

from imagegate.web.access import Access
from imagegate.web.content_encoding import ContentEncoding
from imagegate.web.middleware import CommonHeaders, Head
from imagegate.web.paths import CanonicalPaths
from imagegate.web.preflight import Preflight
from imagegate.web.wait_services import WaitServices


def add_middleware(app: Starlette, services: WaitServices) -> None:
    """Add the middleware; the last is the outermost."""
    app.add_middleware(Head)
    app.add_middleware(ContentEncoding)
    app.add_middleware(Access, services)
    app.add_middleware(Preflight, services)
    app.add_middleware(CommonHeaders)
    app.add_middleware(CanonicalPaths)
