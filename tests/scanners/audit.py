"""Asks an advisory service about every locked dependency, with pip-audit; run as `python audit.py REQUIREMENTS ...`.

Says what it could not ask: pip-audit itself passes a package over in silence when the service does not know it, and
behind a mirror without advisories that is every package. Exit status 0: asked about all, nothing known; 1: something
is known to be vulnerable; 3: not everything could be asked.
"""

import json
import subprocess
import sys
from typing import Any

VULNERABLE, NOT_ASKED = 1, 3
_SECONDS = 300


def judged(report: dict[str, Any]) -> tuple[int, list[str]]:
    """Exit status and what to say about a report of `pip-audit --format json`."""
    found = [entry for entry in report["dependencies"] if entry.get("vulns")]
    skipped = [entry["name"] for entry in report["dependencies"] if "skip_reason" in entry]
    message = [
        f"{entry['name']} {entry['version']}: {', '.join(vuln['id'] for vuln in entry['vulns'])}" for entry in found
    ]
    if skipped:
        total = len(report["dependencies"])
        message.append(f"NOT AUDITED: the advisory service knows nothing of {len(skipped)} of {total} packages")
    return VULNERABLE if found else NOT_ASKED if skipped or not report["dependencies"] else 0, message


def audited(requirements: list[str]) -> tuple[int, list[str]]:
    """Exit status and what to say about requirements files with hashes."""
    files = [word for path in requirements for word in ("--requirement", path)]
    command = [sys.executable, "-m", "pip_audit", *files, "--disable-pip", "--require-hashes", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        return judged(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return NOT_ASKED, [f"NOT AUDITED: the advisory service did not answer within {_SECONDS} s"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return NOT_ASKED, [f"NOT AUDITED: the advisory service cannot be asked ({last[:200]})"]


if __name__ == "__main__":
    status, said = audited(sys.argv[1:])
    print("\n".join(said) or "no known vulnerability")
    sys.exit(status)
