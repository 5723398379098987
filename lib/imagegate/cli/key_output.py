"""How `imagegate keys` prints keys and their usage."""

import json
import time
from dataclasses import asdict
from typing import Any

import typer

from imagegate.cli.amounts import dollars
from imagegate.cli.sentences import hint
from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.operation.representation import rfc3339


def print_new(key: ApiKey, text: str, as_json: bool, **more: str) -> None:
    """Print a new key: its text, or all of it as JSON."""
    hint(f"Key {key.id} ({key.name}). Store it now: it is not shown again.")
    typer.echo(json.dumps({"key": text, **more, **describe(key)}, ensure_ascii=False) if as_json else text)


def describe(key: ApiKey) -> dict[str, Any]:
    """A key as JSON, without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "state": key.state(time.time()),
        "created_at": rfc3339(key.created_at),
        "expires_at": rfc3339(key.expires_at),
        "revoked_at": rfc3339(key.revoked_at),
        "models": list(key.models),
        "limits": asdict(key.limits),
        "webhook": {"url": key.webhook.url, "events": list(key.webhook.events)},
    }


def list_row(row: dict[str, Any]) -> tuple[str, ...]:
    """A described key, as cells of a table."""
    return (
        row["id"],
        row["name"],
        row["state"],
        row["created_at"][:10],
        (row["expires_at"] or "never")[:10],
        ",".join(row["models"]) or "all",
        amounts(row["limits"]) or "none",
    )


def amounts(row: dict[str, int | None]) -> str:
    """The amounts that are set, money in dollars."""
    return ", ".join(
        f"{name.removeprefix('micro_')}={dollars(value) if name.startswith('micro_') else value}"
        for name, value in row.items()
        if value is not None
    )


def usage_row(day: dict[str, Any]) -> tuple[str, str, str]:
    """A day's usage, as cells of a table."""
    return day["day"], str(day["pictures"]), f"{day['micro_dollars'] / 1_000_000:.6f}"
