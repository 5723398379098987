"""schemathesis against our own OpenAPI document: every check, no failure, no 5xx of ours.

The application runs on a real server; what is behind it is in memory. FUZZ_EXAMPLES sets how many requests each
route gets (25 in `make test-slow`, a third of it in `make test`; a long run once took thousands).
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))


SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.json")
KEY: list[str] = []
_KEY_CAME_BEFORE = "that an Idempotency-Key did not come with another request before"
BEYOND_A_SCHEMA = {
    "POST /v1/images/edits": "that bytes are a picture",
    "POST /v1/images/variations": "that bytes are a picture",
    "POST /v1/responses": "that the last message is the user's, and which response has pictures",
    "POST /v1/chat/completions": "that the last message is the user's, and that an image is among the modalities",
    "POST /foundationModels/v1/imageGenerationAsync": "which models there are; YandexART says 400, not 404",
    "GET /v1/operations": "that a page token was handed out",
    "GET /v1/operations/{operation_id}/deliveries": "that a page token was handed out",
    "POST /mcp": "which methods there are, in which version",
    "POST /v1/operations": _KEY_CAME_BEFORE,
    "POST /v1/images/generations": _KEY_CAME_BEFORE,
    "POST /api/{provider}/images/generations": _KEY_CAME_BEFORE,
}
"""What a request can get wrong although its schema is satisfied."""


@SCHEMA.auth()
class ByKey:
    """Signs what schemathesis sends, except where it tries to do without."""

    def get(self, case: schemathesis.Case, context: Any) -> str:
        return KEY[-1]

    def set(self, case: schemathesis.Case, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    # Not in a thread of this process: ast.parse, which hypothesis uses, is broken by a second one (CPython gh-106905).
    command = [sys.executable, "-m", "support.fuzz_server"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdin
        base, key = server.stdout.readline().split()
        KEY.append(key)
        yield base
        server.stdin.close()


@pytest.mark.parametrize("examples", [EXAMPLES // 3, pytest.param(EXAMPLES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda entry: entry.label)
def test_every_answer_is_one_the_document_promises(operation: Any, examples: int, url: str) -> None:
    left_out = [CHECKS.get_one("positive_data_acceptance")] if operation.label in BEYOND_A_SCHEMA else []

    @given(case=operation.as_strategy())
    @settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=url, excluded_checks=left_out, timeout=30, allow_redirects=False)

    check()
