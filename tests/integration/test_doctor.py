"""`imagegate doctor --local` on a running stack."""

import json

from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.stack.stack import Stack


def test_a_running_stack_is_well(stack: Stack) -> None:
    result = CliRunner().invoke(app, ["doctor", "--local", "--state-dir", str(stack.folder.root)])
    rows = json.loads(result.stdout)
    # Another program of the machine may have the usual port, which the stack of these tests does not use.
    trouble = [row for row in rows if row["level"] in ("error", "warning") and row["check"] != "ports"]
    assert trouble == []
    seen = {row["check"] for row in rows if row["level"] == "ok"}
    assert seen >= {"embedded AWS", "table", "bucket", "presigned URL", "providers"}
    texts = [row["finding"] for row in rows if row["check"] == "providers"]
    assert any(text.startswith("black-forest-labs answers") for text in texts), texts
