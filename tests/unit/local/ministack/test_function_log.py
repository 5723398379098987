"""What functions print, as it is kept in a file."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.services import lambda_svc

from imagegate.local.ministack import function_log


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, ...]]]:
    """What went on to MiniStack's CloudWatch."""
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(lambda_svc, "_emit_lambda_logs", lambda *given, **named: seen.append((*given, named)))
    yield seen
    log = logging.getLogger("imagegate.functions")
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()


def test_it_is_kept_under_the_functions_name_and_goes_on(tmp_path: Path, emitted: list[tuple[Any, ...]]) -> None:
    file = tmp_path / "functions.log"
    function_log.keep(file)
    function = {"config": {"FunctionName": "local-ApiFunction"}}
    lambda_svc._emit_lambda_logs(function, "r1", "request x broke down\nTraceback\n", True, 12, log_source=None)
    lambda_svc._emit_lambda_logs(function, "r2", "", False, 1)
    [first, second] = file.read_text().splitlines()
    assert first.endswith(" local-ApiFunction: request x broke down")
    assert second == "Traceback"
    assert emitted == [
        (function, "r1", "request x broke down\nTraceback\n", True, 12, {"log_source": None}),
        (function, "r2", "", False, 1, {}),
    ]
