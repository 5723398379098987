"""The workflow as executions of a Step Functions state machine."""

import json
import logging
from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

_FULL = frozenset({"ThrottlingException", "ExecutionLimitExceeded"})
"""What Step Functions says when it would start the execution at a quieter moment."""


class StepFunctionsWorkflow:
    """Starts executions with the name that it is given, so that starting twice starts once."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._arn = state_machine_arn

    def start(self, operation_id: str, execution: str) -> bool:
        """Start driving `operation_id`; an execution of that name is left alone.

        False, with a warning in the log, when Step Functions is overloaded, out of order or out of reach: `sweep` comes
        for the operation. Raises ClientError or BotoCoreError for rights and configuration.
        """
        try:
            self._client.start_execution(
                stateMachineArn=self._arn, name=execution, input=json.dumps({"id": operation_id})
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ExecutionAlreadyExists":
                return True
            if not _passes(error):
                raise
            return _refused(operation_id, code)
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            # Perhaps it was started, and only its answer was lost; that makes no difference to `sweep`.
            return _refused(operation_id, type(error).__name__)
        return True


def _passes(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error.response["Error"]["Code"] in _FULL or status >= 500


def _refused(operation_id: str, code: str) -> bool:
    logging.warning("the workflow of operation %s could not be started (%s); sweep will", operation_id, code)
    return False
