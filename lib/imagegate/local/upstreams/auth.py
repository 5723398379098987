"""The key that a call must carry where the original wants one; any value is accepted."""

from starlette.exceptions import HTTPException
from starlette.requests import Request


def require_key(request: Request, header: str = "authorization", schemes: tuple[str, ...] = ("bearer",)) -> str:
    """The key in the header. Raises HTTPException(401) when there is none.

    `schemes`: what may stand before the key, in small letters; empty for a header that holds nothing but the key.
    """
    value = request.headers.get(header, "")
    scheme, _, key = value.partition(" ") if schemes else ("", "", value)
    if not key.strip() or (schemes and scheme.lower() not in schemes):
        wanted = " or ".join(each.title() for each in schemes)
        raise HTTPException(401, f"The API key is missing; send {header.title()}: {wanted or 'KEY'}, with any value.")
    return key.strip()
