"""What `imagegate keys` does about webhooks."""

import time
from dataclasses import replace

from imagegate.cli.target import DeploymentTarget
from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.encryption import derive_secret
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.webhooks.webhook import EVENTS, secret_text


def checked(where: DeploymentTarget, url: str, events: str) -> tuple[str | None, tuple[str, ...]]:
    """The URL and events of the options. Raises InvalidRequest or WebhookRefused."""
    chosen = tuple(filter(None, map(str.strip, events.split(","))))
    unknown = [name for name in chosen if name not in EVENTS]
    if unknown:
        raise InvalidRequest(f"There is no event '{unknown[0]}'.", remedy=f"Use some of: {', '.join(EVENTS)}.")
    if chosen and not url:
        raise InvalidRequest("Events need a URL to be announced to.", remedy="Give a URL as well.")
    if url:
        where.deployment.webhook_targets.check(url)
    return url or None, chosen


def changed(where: DeploymentTarget, key: ApiKey, url: str, events: str, *, off: bool, grace: float | None) -> ApiKey:
    """The next version of the key: with another URL, without (`off`), or with a new secret (after `grace` seconds).

    Raises InvalidRequest when none of these is asked for, or two that exclude each other.
    """
    if bool(url) and off:
        raise InvalidRequest("A URL and --off exclude each other.", remedy="Leave one of them out.")
    found, chosen = checked(where, url, events)
    if not (found or off or grace is not None):
        raise InvalidRequest("There is nothing to change.", remedy="Give --url, --off or --rotate.")
    webhook = replace(key.webhook, url=found, events=chosen) if found or off else key.webhook
    rotated = webhook if grace is None else webhook.rotated(time.time(), grace)
    return replace(key, webhook=rotated, version=key.version + 1)


def secret(where: DeploymentTarget, key: ApiKey) -> str:
    """The secret that signs the key's webhooks, as text."""
    return secret_text(derive_secret(where.deployment.webhook_key(), key.id, key.webhook.generation))
