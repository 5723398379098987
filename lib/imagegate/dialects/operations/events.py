"""Requests that arrive as events: the detail is what POST /v1/operations takes, and what headers say there."""

import json

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.parsing import header_line, parse_document, with_privacy
from imagegate.domain.errors import InvalidRequest
from imagegate.usecases.intake import RequestEvent


def parse(message: str) -> RequestEvent:
    """Understand an EventBridge event. Raises InvalidRequest.

    Events come at least once: `detail.id`, or else the event's own id, says which are the same request.
    """
    event = parse_document(message.encode())
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise InvalidRequest("The event has no detail.", param="detail", remedy="Send what POST /v1/operations takes.")
    named, logged = detail.pop("id", None), detail.pop("data_logging_enabled", None)
    key = event.get("id") if named is None else named
    if not isinstance(key, str) or not 1 <= len(key) <= 255:
        raise InvalidRequest("An id is text of 1 to 255 characters.", param="id")
    if not isinstance(logged, bool | None):
        raise InvalidRequest("data_logging_enabled is true or false.", param="data_logging_enabled")
    generation, validate_only = operations_requests.parse(json.dumps(detail).encode(), header_line(key, "id"))
    if validate_only:
        raise InvalidRequest("Nobody would hear of the result.", param="validate_only", remedy="Leave it out.")
    return RequestEvent(with_privacy(generation, "false" if logged is False else ""))
