"""Functions that fail, die, hang and run twice: for the fault campaign (tests/benchmarks/faults.py), never otherwise.

Set IMAGEGATE_CHAOS in MiniStack's environment to a JSON object such as
`{"seed": 1, "fail": 0.02, "kill": 0.05, "hang": 0.02, "repeat": 0.05, "spare": ["api"]}`: the share of invocations
that are refused before they begin, whose process is killed at some moment, which is stopped for some seconds, and
which are run a second time right after. `spare` names functions (by their handler module) that are left alone.
"""

import json
import os
import random
import signal
import threading
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime

VARIABLE = "IMAGEGATE_CHAOS"
_KILLED_WITHIN = 1.5
_HANGS_FOR = 4.0


class Chaos:
    """Wraps the invocation of every Lambda worker in this process."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._dice = random.Random(settings["seed"])  # noqa: S311 - repeatable, no secret
        self._settings = settings
        self._spared = set(settings.get("spare", ()))
        self._invoke = lambda_runtime.Worker.invoke

    def install(self) -> None:
        """From now on nothing is certain."""
        chaos = self

        def invoke(worker: Any, event: Any, request_id: str, **named: Any) -> Any:
            return chaos.invoke(worker, event, request_id, **named)

        lambda_runtime.Worker.invoke = invoke

    def invoke(self, worker: Any, event: Any, request_id: str, **named: Any) -> Any:
        """Run an invocation, or what is left of it."""
        if str(worker.config.get("Handler", "")).partition(".")[0] in self._spared:
            return self._invoke(worker, event, request_id, **named)
        if self._falls("fail"):
            return {"status": "error", "error": "chaos: refused", "cold_start": False, "log": ""}
        timers = [*self._later("kill", worker, self._kill), *self._later("hang", worker, self._stop)]
        answer = self._invoke(worker, event, request_id, **named)
        for timer in timers:
            timer.cancel()
        if self._falls("repeat"):
            answer = self._invoke(worker, event, request_id, **named)
        return answer

    def _falls(self, what: str) -> bool:
        return self._dice.random() < float(self._settings.get(what, 0))

    def _later(self, what: str, worker: Any, act: Any) -> list[threading.Timer]:
        if not self._falls(what):
            return []
        timer = threading.Timer(self._dice.uniform(0, _KILLED_WITHIN), act, [worker])
        timer.daemon = True
        timer.start()
        return [timer]

    def _kill(self, worker: Any) -> None:
        _signal(worker, signal.SIGKILL)

    def _stop(self, worker: Any) -> None:
        _signal(worker, signal.SIGSTOP)
        threading.Timer(_HANGS_FOR, _signal, [worker, signal.SIGCONT]).start()


def _signal(worker: Any, signum: signal.Signals) -> None:
    process = worker._proc
    if process is not None:
        with suppress(ProcessLookupError):
            process.send_signal(signum)


def install_if_wanted() -> None:
    """Install what IMAGEGATE_CHAOS asks for; without it, nothing."""
    wanted = os.environ.get(VARIABLE)
    if wanted:
        Chaos(json.loads(wanted)).install()
