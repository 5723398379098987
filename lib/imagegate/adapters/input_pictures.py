"""Fetch input pictures at addresses that callers give, under the rules for addresses from outside."""

import time
from collections.abc import Sequence

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.failure import UpstreamError

SECONDS = 15.0
"""For all pictures of a request together: API Gateway waits 30 s for the whole answer."""
LARGEST = 20 * 1024 * 1024
"""Bytes of all pictures of a request together, which a function holds in memory."""


class InputPictures:
    """Fetches over https from public hosts only, after redirects too, and without credentials."""

    def __init__(self, http: HttpUpstream | None = None) -> None:
        self._http = http or HttpUpstream()

    def __call__(self, urls: Sequence[str]) -> list[bytes]:
        """The pictures, in their order. Raises InvalidRequest for one that cannot or must not be fetched."""
        until, left, bodies = time.monotonic() + SECONDS, LARGEST, list[bytes]()
        for url in urls:
            seconds = until - time.monotonic()
            if seconds <= 0:
                raise _refused(f"not all pictures came within {SECONDS:g} s.")
            try:
                bodies.append(self._http.download(url, "", seconds=seconds, largest=left))
            except UpstreamError as error:
                raise _refused(error.failure.message.lstrip(": ")) from None
            left -= len(bodies[-1])
        return bodies


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"A picture could not be fetched: {why}",
        param="image_url",
        remedy="Give https addresses of public hosts that need no login, or send the pictures themselves.",
    )
