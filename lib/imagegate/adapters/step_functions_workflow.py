"""The workflow as executions of a Step Functions state machine."""

import json
from typing import Any

from botocore.exceptions import ClientError


class StepFunctionsWorkflow:
    """Starts executions named after the run, so that starting twice starts once."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._arn = state_machine_arn

    def start(self, operation_id: str, run: str) -> None:
        """Start driving `operation_id`; an execution of that name is left alone."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=run, input=json.dumps({"id": operation_id}))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
