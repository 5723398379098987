"""What the fault campaign reads of an operation, and counts when it has ended."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

from benchmarks.fault_jobs import Job
from imagegate.providers import registry

FREE = frozenset(
    (target.provider, target.model)
    for route in registry.routes()
    for target in route.targets
    if target.micro_dollars == 0
)
"""Providers and their models whose pictures cost nothing."""


def unharvested(shown: dict[str, Any]) -> int:
    """How many of an ended operation's attempts may still yield a picture."""
    return sum(entry["state"] in ("submitted", "ready") for entry in shown["attempts"])


def count_silent(shown: dict[str, Any], job: Job, submissions: Mapping[tuple[str, str], int]) -> int:
    """How many more submissions of an operation each upstream accepted than are on record.

    Every visit of a provider is: an attempt, and its repeats while it was throttled.
    """
    visits = Counter[str]()
    for attempt in shown["attempts"]:
        visits[attempt["provider"]] += 1 + attempt["repeats"]
    accepted = {upstream: count for (prompt, upstream), count in submissions.items() if prompt == job.prompt}
    return sum(max(0, count - visits[upstream]) for upstream, count in accepted.items())


def ambiguous_for_nothing(shown: dict[str, Any]) -> bool:
    """True for an operation that failed as `ambiguous`, and whose attempts of unknown outcome were all free."""
    unknown = {(entry["provider"], entry["model"]) for entry in shown["attempts"] if entry["state"] == "unknown"}
    return bool(shown["error"]) and shown["error"]["code"] == "ambiguous" and unknown <= FREE


def over(shown: dict[str, Any] | None) -> bool:
    """True when an operation has ended."""
    return shown is not None and shown["done"]


def id_in(answer: httpx.Response) -> str:
    """The operation that an answer is about; empty when it is about none."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    return str(document.get("operation_id") or document.get("id") or "") if isinstance(document, dict) else ""


def read(client: httpx.Client, operation_id: str) -> dict[str, Any] | None:
    """The operation; `None` when it could not be read this time."""
    try:
        answer = client.get(f"/v1/operations/{operation_id}")
    except httpx.TransportError:
        return None
    return dict(answer.json()) if answer.status_code == 200 else None
