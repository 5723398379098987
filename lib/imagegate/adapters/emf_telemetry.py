"""Figures as CloudWatch's embedded metric format: a line of the function's log becomes metrics, without a call."""

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from imagegate.domain.operation import Attempt, AttemptState, Operation

NAMESPACE = "imagegate"
_UNITS = {"OperationSeconds": "Seconds", "UpstreamSeconds": "Seconds", "DetectionSeconds": "Seconds"}


class EmfTelemetry:
    """The Telemetry port. Lines carry ids and codes, never a prompt."""

    def __init__(self, now: Callable[[], float], out: TextIO | None = None) -> None:
        self._now = now
        self._out = out

    def attempt(self, operation: Operation, attempt: Attempt) -> None:
        """An attempt ended: how long it took, and how it ended."""
        took = (attempt.ended_at or self._now()) - attempt.started_at
        code = attempt.failure.code if attempt.failure else None
        done = attempt.state is AttemptState.DONE
        metrics = {"UpstreamSeconds": took} if done else {"AttemptFailures": 1.0}
        if attempt.state is AttemptState.UNKNOWN:
            metrics["UnknownSubmissions"] = 1.0
        self._emit(operation, metrics, Provider=attempt.provider, Code=code or "ok", attempt=attempt.number)
        if operation.done and operation.ended_at:
            self._ended(operation)

    def _ended(self, operation: Operation) -> None:
        metrics = {"OperationSeconds": (operation.ended_at or 0) - operation.created_at, "Operations": 1.0}
        self._emit(operation, metrics, State=str(operation.state))

    def _emit(self, operation: Operation, metrics: dict[str, float], **fields: Any) -> None:
        dimensions = [name for name in fields if name[0].isupper()]
        described = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in metrics]
        directive = {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": described}
        line = {
            "_aws": {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": [directive]},
            **metrics,
            **fields,
            "operation": operation.id,
        }
        print(json.dumps(line, separators=(",", ":")), file=self._out or sys.stdout)
