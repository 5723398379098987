"""Goes on with the workflow executions that a stop or a kill interrupted.

On AWS an execution outlives every restart of the service. MiniStack marks those it finds running in its
saved state as failed (States.ServiceRestart). Here they stay running and, once the template is up to date,
begin again at their first state with their input; a workflow's steps must bear being run twice anyway.
"""

import contextvars
import threading
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import stepfunctions

Key = tuple[str, str, str]
"""Account, region and execution ARN."""


class Interrupted:
    """The executions found running in a saved state."""

    def __init__(self, saved: dict[str, Any] | None) -> None:
        """`saved` is the saved state of Step Functions."""
        executions = saved["executions"].all_items() if saved else []
        # A synchronous one had a caller, who is gone.
        self._keys: list[Key] = [
            key for key, execution in executions if execution["status"] == "RUNNING" and not execution.get("sync")
        ]

    def keep_running(self) -> None:
        """Undo that loading the state has marked them failed."""
        for key in self._keys:
            execution = stepfunctions._executions.get_scoped(*key)
            execution.update(status="RUNNING", stopDate=None)
            for mark in ("error", "cause"):
                execution.pop(mark, None)

    def resume(self) -> None:
        """Run them, each in a thread as MiniStack does; only the first call does anything."""
        keys, self._keys = self._keys, []
        for account, region, arn in keys:
            with request_scope(account, region):
                run = contextvars.copy_context().run
            threading.Thread(target=run, args=(stepfunctions._run_execution, arn), daemon=True).start()
