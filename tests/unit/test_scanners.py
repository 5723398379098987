"""What the scanners report: an audit that was not made never passes."""

from pathlib import Path
from typing import Any

import pytest

from scanners import audit, licences

PERMISSIVE = ("MIT", "BSD", "Apache", "PSF", "MPL", "Mozilla Public License", "ISC")
FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1"}, {"id": "CVE-2"}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "status", "word"),
    [
        ([FINE], 0, ""),
        ([FINE, BAD], audit.VULNERABLE, "bad 2: PYSEC-1, CVE-2"),
        ([FINE, UNKNOWN], audit.NOT_ASKED, "NOT AUDITED"),
        ([BAD, UNKNOWN], audit.VULNERABLE, "bad 2"),
        ([], audit.NOT_ASKED, ""),
    ],
)
def test_a_report_is_judged(dependencies: list[dict[str, Any]], status: int, word: str) -> None:
    judged, message = audit.judged({"dependencies": dependencies})
    assert judged == status
    assert word in "\n".join(message)


def test_an_audit_that_cannot_be_made_does_not_pass(tmp_path: Path) -> None:
    """Here for want of pip-audit in this environment; elsewhere for want of a network."""
    status, message = audit.audited([str(tmp_path / "none.txt")])
    assert status == audit.NOT_ASKED
    assert message[0].startswith("NOT AUDITED")


def test_the_list_of_licences_is_up_to_date_and_holds_no_surprise() -> None:
    page = Path(__file__).parents[2] / "docs" / "licences.md"
    assert page.read_text() == licences.table(), "run `make docs`"
    for row in licences.rows():
        assert row.split("|")[3].strip().startswith(PERMISSIVE), row
