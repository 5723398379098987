"""`imagegate keys`: make, show, revoke and renew API keys."""

import json
import time

import typer

from imagegate.cli import key_options as options
from imagegate.cli import key_webhooks
from imagegate.cli.key_output import amounts, describe, list_row, print_new, usage_row
from imagegate.cli.sentences import aligned, command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, DeploymentTarget, Local, Stage, StateDir, target
from imagegate.dialects.operations.usage import last_days, render_usage
from imagegate.domain.access.api_key import EVERYBODY, ApiKey, KeyLimits, KeyWebhook, issue
from imagegate.domain.characters import find_forbidden
from imagegate.domain.errors import InvalidRequest
from imagegate.ports.storage import ApiKeys

keys_app = typer.Typer(help="API keys: who may use the gateway.", no_args_is_help=True)


@keys_app.command()
def create(
    name: options.Name,
    expires: options.Expires = None,
    models: options.Models = "",
    rpm: options.Rpm = None,
    concurrent: options.Concurrent = None,
    pictures_per_day: options.PicturesPerDay = None,
    budget_per_day: options.Budget = None,
    owner: options.Owner = "",
    webhook_url: options.WebhookUrl = "",
    webhook_events: options.WebhookEvents = "",
    json_: options.Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Make a key. Print it, and the secret that signs its webhooks; neither is shown again."""
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
            limits=KeyLimits(
                requests_per_minute=rpm,
                concurrent=concurrent,
                pictures_per_day=pictures_per_day,
                micro_dollars_per_day=budget_per_day,
            ),
            webhook=KeyWebhook(url=announced[0], events=announced[1]),
        )
        secret = key_webhooks.secret(where, key)
        keys.put(key)
    hint(f"Its webhooks are signed with {secret}")
    print_new(key, text, json_, webhook_secret=secret)


@keys_app.command("list")
def list_keys(
    json_: options.Json = False, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """List the keys, without their secrets."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        found = [describe(key) for key in where.deployment.api_keys.every()]
    if json_:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif found:
        typer.echo(aligned([("ID", "NAME", "STATE", "CREATED", "EXPIRES", "MODELS", "LIMITS"), *map(list_row, found)]))
    else:
        hint(f"There is no API key yet: {command()} keys create{where.options} --name NAME")


@keys_app.command()
def revoke(
    key_id: options.KeyId, stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE
) -> None:
    """Revoke a key for good, within a minute. Its operations are kept."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        key = _found(keys, key_id, where)
        if (revoked := key.revoked(time.time())) is not key:
            keys.put(revoked)
    hint(f"Key {key_id} ({key.name}) is revoked; requests with it are refused within a minute.")


@keys_app.command()
def rotate(
    key_id: options.KeyId,
    grace: options.Grace = 3600.0,
    json_: options.Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Give a key a new secret, and print it.

    The old one works a while longer.
    """
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        key, text = _found(keys, key_id, where).rotated(time.time(), grace)
        keys.put(key)
    print_new(key, text, json_)


@keys_app.command()
def usage(
    key_id: options.KeyId,
    days: options.Days = 1,
    json_: options.Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Show what a key has used of its limits, by days in UTC."""
    with in_a_sentence():
        where, now = target(stage, local, state_dir), time.time()
        key, day_names = _found(where.deployment.api_keys, key_id, where), last_days(days, now)
        row = render_usage(key, where.deployment.usage_ledger.read(key_id, day_names, key.shards), day_names, now)
    if json_:
        typer.echo(json.dumps(row, ensure_ascii=False))
    elif row["counted"]:
        typer.echo(aligned([("DAY", "PICTURES", "DOLLARS"), *map(usage_row, row["days"])]))
        hint(f"Left: {amounts(row['left'])}; daily limits are reset at {row['resets_at']}.")
    else:
        hint(f"Key {key_id} ({key.name}) has no daily or concurrent limit, so its usage is not counted.")


@keys_app.command()
def webhook(
    key_id: options.KeyId,
    url: options.WebhookUrl = "",
    events: options.WebhookEvents = "",
    off: options.Off = False,
    rotate: options.Rotate = False,
    grace: options.WebhookGrace = options.A_DAY,
    json_: options.Json = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Choose where a key's operations are announced.

    Or give its webhooks a new secret, and print it.
    """
    with in_a_sentence():
        where = target(stage, local, state_dir)
        keys = where.deployment.api_keys
        wait = grace if rotate else None
        key = key_webhooks.changed(where, _found(keys, key_id, where), url, events, off=off, grace=wait)
        secret = key_webhooks.secret(where, key) if rotate else None
        keys.put(key)
    if secret:
        hint("Store it now: it is not shown again. Until the grace ends, the old secret signs as well.")
    typer.echo(json.dumps({"webhook_secret": secret, **describe(key)}, ensure_ascii=False) if json_ else secret or "")


def _found(keys: ApiKeys, key_id: str, where: DeploymentTarget) -> ApiKey:
    key = keys.get(key_id)
    if key is None:
        remedy = f"'{command()} keys list{where.options}' lists the keys."
        raise InvalidRequest("There is no key with that id.", remedy=remedy)
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
