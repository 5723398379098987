"""The `Prefer` header (RFC 7240): `wait=N` and `respond-async`."""

import re
from dataclasses import dataclass

from starlette.requests import Request

_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller prefers about waiting."""

    wait: int | None = None
    """Seconds the request may be held."""
    respond_async: bool = False
    """Answer 202 with the operation instead of redirecting to the wait route."""

    def applied(self, hold: float) -> dict[str, str]:
        """The `Preference-Applied` header for a request held for at most `hold` seconds."""
        said = ["respond-async"] if self.respond_async else []
        if self.wait is not None:
            said.append(f"wait={min(self.wait, int(hold))}")
        return {"preference-applied": ", ".join(said)} if said else {}


def preferences_of(request: Request) -> Preferences:
    """Read every `Prefer` header of the request; unknown preferences are ignored, as the RFC asks."""
    said = ",".join(request.headers.getlist("prefer"))
    wait = _WAIT.search(said)
    return Preferences(int(wait[1]) if wait else None, "respond-async" in said.lower())
