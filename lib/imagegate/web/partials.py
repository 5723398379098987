"""Partial pictures for the client of a stream that wants them as they come (`Prefer: partials=1`: it has one)."""

from dataclasses import replace

from imagegate.dialects.registry import dialect_named
from imagegate.dialects.response import ApiResponse
from imagegate.domain.operation.operation import Operation
from imagegate.web.http import fits
from imagegate.web.preferences import Preferences
from imagegate.web.wait_services import WaitServices

PARTIALS_READ_INTERVAL = 0.5
"""Seconds between two reads of the table by such a client's request."""


def watches_partials(operation: Operation, preferences: Preferences) -> bool:
    """True when a request is to be answered as soon as there is a further partial picture."""
    asked = operation.request.partial_images and "stream" in operation.reply
    return bool(asked) and preferences.partials is not None and not operation.done


def render_next_partial(operation: Operation, context: WaitServices, preferences: Preferences) -> ApiResponse | None:
    """The events of the next partial picture; `None` when there is none yet, or the API has no such events.

    A picture that is too large for an answer is left out. Raises TooManyBytes.
    """
    if not watches_partials(operation, preferences) or len(operation.partials) <= context.partials_sent:
        return None
    events = dialect_named(operation.dialect).render_partial(operation, context)
    return replace(events, body=b"") if events and not fits(events) else events
