"""imagegate's own operations API: the native form of an operation, with the URLs a client needs."""

from typing import Any

from imagegate.dialects.answer import Answer
from imagegate.domain.operation import Operation
from imagegate.domain.representation import represent

NAME = "operations"


def present(operation: Operation) -> dict[str, Any]:
    """The operation with its own URLs; clients build none."""
    path = f"/v1/operations/{operation.id}"
    urls = {"self": path, "wait": f"{path}/wait"}
    return {**represent(operation), "urls": urls}


def accepted(operation: Operation, retry_after: int) -> Answer:
    """202: the operation is written down and under way; ask again after `retry_after` seconds."""
    path = f"/v1/operations/{operation.id}"
    headers = {"location": path, "operation-location": path, "retry-after": str(retry_after)}
    return Answer(202, present(operation), headers)
