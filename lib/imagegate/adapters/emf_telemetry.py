"""Figures as CloudWatch's embedded metric format: a line of the function's log becomes metrics, without a call."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from imagegate.domain.failure import Failure
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation

_SECONDS = ("OperationSeconds", "UpstreamSeconds", "DetectionSeconds", "OverdueSeconds", "ExpansionSeconds")
_UNITS = dict.fromkeys(_SECONDS, "Seconds")


class EmfTelemetry:
    """The Telemetry port. Lines carry ids and codes, never a prompt.

    No metric has a dimension, because each value of one would be a metric of its own, at $0.30 a month: provider, state
    and code are fields of the line, which CloudWatch Logs Insights groups by.
    """

    def __init__(self, now: Callable[[], float], out: TextIO | None = None) -> None:
        self._now = now
        self._out = out
        self._namespace = os.environ.get("METRICS_NAMESPACE", "imagegate")

    def attempt(self, operation: Operation, attempt: Attempt, poll_count: int = 0, unseen: float = 0.0) -> None:
        """An attempt ended: how long it took and how closely it was watched, or why it failed."""
        fields = {"operation": operation.id, "attempt": attempt.number, "Provider": attempt.provider}
        if attempt.state is AttemptState.DONE:
            took = (attempt.ended_at or self._now()) - attempt.started_at
            figures = {"UpstreamSeconds": took, "Polls": float(poll_count), "DetectionSeconds": unseen}
            self._emit(figures, fields)
            return
        figures = {"AttemptFailures": 1.0}
        if attempt.state is AttemptState.UNKNOWN:
            figures["UnknownSubmissions"] = 1.0
        code = attempt.failure.code if attempt.failure else "unknown"
        self._emit(figures, fields | {"Code": code})

    def expansion(self, operation: Operation, seconds: float, failure: Failure | None) -> None:
        """A prompt was expanded: after how long; or not, and why."""
        fields: dict[str, Any] = {"operation": operation.id}
        if failure is None:
            self._emit({"ExpansionSeconds": seconds}, fields)
        else:
            self._emit({"ExpansionFailures": 1.0}, fields | {"Code": failure.code})

    def ended(self, operation: Operation) -> None:
        """An operation reached one of its last states: after how long, and why if it failed."""
        fields = {"operation": operation.id, "State": operation.state}
        took = (operation.ended_at or self._now()) - operation.waiting_since
        self._emit({"OperationSeconds": took, "Operations": 1.0}, fields)
        if operation.failure:
            self._emit({"OperationFailures": 1.0}, fields | {"Code": operation.failure.code})

    def unknown_delivery(self, operation_id: str, sequence: int) -> None:
        """A message named a delivery that is not in the table: forged, or its operation was deleted."""
        self._emit({"UnknownDeliveries": 1.0}, {"operation": operation_id[:64], "sequence": sequence})

    def swept(self, restarted: int, overdue: float) -> None:
        """The result of a sweep. Nothing when all is well: an idle deployment pays for no metric."""
        if restarted or overdue:
            self._emit({"Restarted": float(restarted), "OverdueSeconds": overdue}, {})

    def _emit(self, figures: Mapping[str, float], fields: Mapping[str, Any]) -> None:
        described = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in figures]
        directive = {"Namespace": self._namespace, "Dimensions": [[]], "Metrics": described}
        embedded = {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": [directive]}
        line = {"_aws": embedded, **figures, **fields}
        print(json.dumps(line, separators=(",", ":")), file=self._out or sys.stdout)
