"""Writes what the functions print into a file: MiniStack has it in CloudWatch's API only, and forgets it at a stop."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc

_LIMIT_BYTES = 10_000_000


def keep(file: Path) -> None:
    """Append to `file` from now on; a long one is renamed, and a new one begun."""
    handler = RotatingFileHandler(file, maxBytes=_LIMIT_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("imagegate.functions")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    emit = lambda_svc._emit_lambda_logs

    def emitting(function: dict[str, Any], request_id: str, text: str, *more: Any, **named: Any) -> None:
        if text:
            name = function.get("config", function).get("FunctionName", "")
            log.info("%s: %s", name, text.rstrip())
        emit(function, request_id, text, *more, **named)

    lambda_svc._emit_lambda_logs = emitting
