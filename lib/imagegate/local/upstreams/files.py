"""Pictures that a stand-in answers by URL."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegate.local.upstreams.drawing.pictures import PictureSpec, serve_picture
from imagegate.local.upstreams.recent import Recent
from imagegate.local.upstreams.upstream import Upstream, root_of

CREDENTIALS = ("authorization", "x-key", "x-api-key", "api-key", "x-goog-api-key")
"""Headers that no client may send to the host of the pictures."""


class Files:
    """The file server of one stand-in: pictures by name, below `/files`."""

    def __init__(self, upstream: Upstream, refuses_keys: bool = True) -> None:
        """`refuses_keys`: a call with a credential gets HTTP 400, for a key is not for the pictures' host."""
        self._upstream = upstream
        self._refuses_keys = refuses_keys
        self._pictures: Recent[PictureSpec] = Recent()

    def route(self) -> Route:
        """Where the pictures are served."""
        return Route("/files/{name}", self._serve)

    def url(self, request: Request, name: str, picture: PictureSpec) -> str:
        """The picture's URL on the host that the request was sent to; it is drawn when it is fetched."""
        self._pictures.put(name, picture)
        return f"{root_of(request)}/files/{name}"

    async def _serve(self, request: Request) -> Response:
        picture = self._pictures.get(request.path_params["name"])
        if picture is None:
            raise HTTPException(404)
        if self._refuses_keys and any(name in request.headers for name in CREDENTIALS):
            raise HTTPException(400, "The host of the pictures was sent a credential.")
        return await serve_picture(picture, request, self._upstream)
