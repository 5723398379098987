"""`imagegate keys`: make, show, revoke and renew API keys."""

import json
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from imagegate.cli import key_webhooks
from imagegate.cli.amounts import dollars, duration, lifetime, micro_dollars
from imagegate.cli.sentences import aligned, command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, DeploymentTarget, Local, Stage, StateDir, target
from imagegate.dialects.operations.usage import LONGEST, last_days
from imagegate.dialects.operations.usage import render_usage as shown_usage
from imagegate.domain.access.api_key import EVERYBODY, ApiKey, KeyLimits, KeyWebhook, issue
from imagegate.domain.characters import find_forbidden
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.representation import rfc3339
from imagegate.ports.storage import ApiKeys

keys_app = typer.Typer(help="API keys: who may use the gateway.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Option(help="Whose key it is, or what for.")]
Expires = Annotated[
    float | None, typer.Option(parser=lifetime, metavar="90d", help="After how long it ceases to work.")
]
Models = Annotated[str, typer.Option(metavar="A,B", help="The models it is for; without, every model.")]
Budget = Annotated[
    int | None, typer.Option(parser=micro_dollars, metavar="2.50", help="Dollars it may spend in a day.")
]
Owner = Annotated[str, typer.Option(metavar="ID", help=f"Share the operations of this key (or of '{EVERYBODY}').")]
Grace = Annotated[
    float,
    typer.Option(
        parser=duration, metavar="1h", show_default=False, help="How long the old secret still works; without, 1h."
    ),
]


@keys_app.command()
def create(
    name: Name,
    expires: Expires = None,
    models: Models = "",
    rpm: Annotated[int | None, typer.Option(min=1, help="Requests per minute.")] = None,
    concurrent: Annotated[int | None, typer.Option(min=1, help="Operations under way at once.")] = None,
    pictures_per_day: Annotated[int | None, typer.Option(min=1, help="Pictures in a day.")] = None,
    budget_per_day: Budget = None,
    owner: Owner = "",
    webhook_url: key_webhooks.Url = "",
    webhook_events: key_webhooks.Events = "",
    json_: Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Make a key and print it, and the secret that signs its webhooks: the only time they can be seen."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        now, keys = time.time(), where.deployment.api_keys
        announced = key_webhooks.checked(where, webhook_url, webhook_events)
        key, text = issue(
            _checked(name),
            now,
            owner=_owner(keys, owner, where) if owner else None,
            expires_at=None if expires is None else now + expires,
            models=_routes(models),
            limits=KeyLimits(rpm, concurrent, pictures_per_day, budget_per_day),
            webhook=KeyWebhook(*announced),
        )
        secret = key_webhooks.secret(where, key)
        keys.put(key)
    hint(f"Its webhooks are signed with {secret}")
    _print_new(key, text, json_, webhook_secret=secret)


@keys_app.command("list")
def list_keys(
    json_: Json = False, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """Show all keys; never a secret."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        found = where.deployment.api_keys.every()
    row = [_shown(key) for key in found]
    if json_:
        typer.echo(json.dumps(row, ensure_ascii=False))
    elif row:
        typer.echo(aligned([("ID", "NAME", "STATE", "CREATED", "EXPIRES", "MODELS", "LIMITS"), *map(_row, row)]))
    else:
        hint(f"There is no key yet: {command()} keys create{where.options} --name somebody")


@keys_app.command()
def revoke(
    key_id: KeyId, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """End a key for good, within a minute. Its operations stay."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        key = _found(keys, key_id, where)
        if (revoked := key.revoked(time.time())) is not key:
            keys.put(revoked)
    hint(f"Key {key_id} ({key.name}) is revoked; within a minute it opens nothing.")


@keys_app.command()
def rotate(
    key_id: KeyId,
    grace: Grace = 3600.0,
    json_: Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Give a key a new secret and print it; the old one works a while longer."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        key, text = _found(keys, key_id, where).rotated(time.time(), grace)
        keys.put(key)
    _print_new(key, text, json_)


@keys_app.command()
def usage(
    key_id: KeyId,
    days: Annotated[int, typer.Option(min=1, max=LONGEST, help="How many days to show, today included.")] = 1,
    json_: Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Show what a key has used of its limits, by days in UTC."""
    with in_a_sentence():
        where, now = target(stage, local, state_dir), time.time()
        key, day_names = _found(where.deployment.api_keys, key_id, where), last_days(days, now)
        row = shown_usage(key, where.deployment.usage_ledger.read(key_id, day_names), day_names, now)
    if json_:
        typer.echo(json.dumps(row, ensure_ascii=False))
    elif row["counted"]:
        typer.echo(aligned([("DAY", "PICTURES", "DOLLARS"), *map(_used, row["days"])]))
        hint(f"Left: {_amounts(row['left'])}; daily limits begin anew at {row['resets_at']}.")
    else:
        hint(f"Key {key_id} ({key.name}) has no daily or concurrent limit, so nobody counts what it uses.")


def _used(day: dict[str, Any]) -> tuple[str, str, str]:
    return day["day"], str(day["pictures"]), f"{day['micro_dollars'] / 1_000_000:.6f}"


@keys_app.command()
def webhook(
    key_id: KeyId,
    url: key_webhooks.Url = "",
    events: key_webhooks.Events = "",
    off: key_webhooks.Off = False,
    rotate: key_webhooks.Rotate = False,
    grace: key_webhooks.Grace = key_webhooks.A_DAY,
    json_: Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Say where a key's operations are announced, or give its webhooks a new secret and print that."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        wait = grace if rotate else None
        key = key_webhooks.changed(where, _found(keys, key_id, where), url, events, off=off, grace=wait)
        secret = key_webhooks.secret(where, key) if rotate else None
        keys.put(key)
    if secret:
        hint("Keep it well: it is shown only now. Until the grace is over, the one before signs as well.")
    typer.echo(json.dumps({"webhook_secret": secret, **_shown(key)}, ensure_ascii=False) if json_ else secret or "")


def _print_new(key: ApiKey, text: str, as_json: bool, **more: str) -> None:
    hint(f"Key {key.id} ({key.name}). Keep it well: it is shown only now.")
    typer.echo(json.dumps({"key": text, **more, **_shown(key)}, ensure_ascii=False) if as_json else text)


def _found(keys: ApiKeys, key_id: str, where: DeploymentTarget) -> ApiKey:
    key = keys.get(key_id)
    if key is None:
        remedy = f"'{command()} keys list{where.options}' shows those there are."
        raise InvalidRequest("There is no key of that id.", remedy=remedy)
    return key


def _owner(keys: ApiKeys, owner: str, where: DeploymentTarget) -> str:
    return EVERYBODY if owner == EVERYBODY else _found(keys, owner, where).owner


def _checked(name: str) -> str:
    if not 1 <= len(name) <= 64 or not name.strip() or find_forbidden(name, one_line=True):
        raise InvalidRequest("A name has 1 to 64 characters in one line.", remedy="Choose another --name.")
    return name


def _routes(models: str) -> tuple[str, ...]:
    """The routes behind comma-separated names or aliases. Raises InvalidRequest for an unknown one."""
    from imagegate.providers import registry

    routes = registry.routes()
    found = {}
    for name in filter(None, map(str.strip, models.split(","))):
        route = routes.find(name)
        if route is None:
            known = ", ".join(route.model for route in routes)
            raise InvalidRequest(f"There is no model '{name}'.", remedy=f"Use some of: {known}.")
        found[route.model] = True
    return tuple(found)


def _shown(key: ApiKey) -> dict[str, Any]:
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


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["id"],
        row["name"],
        row["state"],
        row["created_at"][:10],
        (row["expires_at"] or "never")[:10],
        ",".join(row["models"]) or "all",
        _amounts(row["limits"]) or "none",
    )


def _amounts(row: dict[str, int | None]) -> str:
    """Those that there are, money in dollars."""
    return ", ".join(
        f"{name.removeprefix('micro_')}={dollars(value) if name.startswith('micro_') else value}"
        for name, value in row.items()
        if value is not None
    )
