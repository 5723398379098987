"""Steps of operations as asynchronous invocations of a function."""

import json
import logging
from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

_PASSING = frozenset({"TooManyRequestsException", "ResourceNotReadyException", "ResourceConflictException"})
"""What Lambda says while it can queue no event, or while the function is being updated."""


class LambdaSteps:
    """Invokes the submit function. Lambda queues the event, and repeats it when the function is throttled or dies."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def take(self, operation_id: str, last_poll_at: float = 0.0, poll_count: int = 0) -> None:
        """Have a step of the operation taken. Raises ClientError or BotoCoreError for rights and configuration."""
        event = {"id": operation_id, "looked_at": last_poll_at, "looks": poll_count}
        try:
            answer = self._client.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event).encode()
            )
            answer["Payload"].read()  # empty; a connection is used again only after its answer was read
        except ClientError as error:
            if not _passes(error):
                raise
            _warn(operation_id, error.response["Error"]["Code"])
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            _warn(operation_id, type(error).__name__)


def _passes(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error.response["Error"]["Code"] in _PASSING or status >= 500


def _warn(operation_id: str, code: str) -> None:
    logging.warning("a step of operation %s could not be taken (%s); its client or sweep will", operation_id, code)
