"""Requests that arrive as events: the detail is the body of POST /v1/operations, with its headers as fields."""

import json

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.parsing import parse_document, require_line, with_privacy
from imagegate.domain.errors import InvalidRequest
from imagegate.usecases.intake import RequestEvent


def parse(message: str) -> RequestEvent:
    """Parse an EventBridge event. Raises InvalidRequest.

    Events come at least once: those with the same `detail.id`, or else the same event id, are one request.
    """
    event = parse_document(message.encode())
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise InvalidRequest("The event has no detail.", param="detail", remedy="Send the body of POST /v1/operations.")
    given, logged = detail.pop("id", None), detail.pop("data_logging_enabled", None)
    key = event.get("id") if given is None else given
    if not isinstance(key, str) or not 1 <= len(key) <= 255:
        raise InvalidRequest("An id is text of 1 to 255 characters.", param="id")
    if not isinstance(logged, bool | None):
        raise InvalidRequest("data_logging_enabled is true or false.", param="data_logging_enabled")
    generation, validate_only = operations_requests.parse(json.dumps(detail).encode(), require_line(key, "id"))
    if validate_only:
        raise InvalidRequest("Nothing could return the estimate.", param="validate_only", remedy="Leave it out.")
    return RequestEvent(with_privacy(generation, "false" if logged is False else ""))
