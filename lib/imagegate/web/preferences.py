"""What a caller prefers about waiting: the header `Prefer` (RFC 7240)."""

import re
from dataclasses import dataclass

from starlette.requests import Request

_PARTIALS = re.compile(r"\bpartials\s*=\s*\"?(\d{1,3})\"?", re.IGNORECASE)
_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The caller's preferences about waiting (RFC 7240)."""

    wait: int | None = None
    """Seconds for which the request may be held."""
    respond_async: bool = False
    """True to answer 202 with the operation instead of a redirect to the wait route."""
    partials: int | None = None
    """Partial pictures that the client of a stream has: it is answered as soon as there is one more."""

    def applied(self, hold: float) -> dict[str, str]:
        """The header `Preference-Applied` of a request that may be held for `hold` seconds."""
        honoured = ["respond-async"] if self.respond_async else []
        if self.wait is not None:
            honoured.append(f"wait={min(self.wait, int(hold))}")
        return {"preference-applied": ", ".join(honoured)} if honoured else {}


def parse_preferences(request: Request) -> Preferences:
    """Parse every `Prefer` header of the request; unknown preferences are ignored, as the RFC requires."""
    header = ",".join(request.headers.getlist("prefer"))
    wait, partials = _WAIT.search(header), _PARTIALS.search(header)
    return Preferences(
        wait=int(wait[1]) if wait else None,
        respond_async="respond-async" in header.lower(),
        partials=int(partials[1]) if partials else None,
    )
