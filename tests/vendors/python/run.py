"""What the scripts of this folder share. They run on `.venvs/vendors` and import nothing of imagegate.

Each takes one argument, a JSON object with base_url, prompt and whatever its test adds, and prints one line of JSON:
{ok: true, pictures: [base64], ...} or {ok: false, error: {name, status, message}}.
"""

import base64
import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

Asked = dict[str, Any]
STATUSES = ("status_code", "status", "code", "http_status")
"""Attributes under which clients' errors have the HTTP status."""


def run(generate: Callable[[Asked], Iterable[bytes]], describe: Callable[[Exception], Asked] | None = None) -> None:
    """Ask for pictures with `generate`; print how it went. `describe` adds to what an error's attributes say."""
    try:
        pictures = [base64.b64encode(picture).decode() for picture in generate(json.loads(sys.argv[1]))]
        outcome: Asked = {"ok": True, "pictures": pictures}
    except Exception as error:
        outcome = {"ok": False, "error": problem(error) | (describe(error) if describe else {})}
    print(json.dumps(outcome), flush=True)
    os._exit(0)  # Some clients leave threads that would go on for minutes.


def problem(error: Exception) -> Asked:
    """An exception as the caller would see it."""
    found = [getattr(source, name, None) for source in (error, getattr(error, "response", None)) for name in STATUSES]
    status = next((value for value in found if type(value) is int), None)
    return {"name": type(error).__name__, "status": status, "message": str(error)}


def fetch(url: str) -> bytes:
    """A picture by its address, without any key."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())
