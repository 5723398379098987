"""Resolve the webhook of a request: the one it asks for, or else its API key's."""

from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.encryption import encrypt
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.webhooks.webhook import EVENTS, RequestedWebhook, Webhook
from imagegate.ports.messaging import WebhookKey, WebhookPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveWebhook:
    """Decides where an operation is announced to, and which secret signs."""

    targets: WebhookPolicy
    webhook_key: WebhookKey

    def __call__(self, requested: RequestedWebhook | None, principal: Principal) -> Webhook | None:
        """The operation's webhook; `None`: none. Raises WebhookRefused, and InvalidRequest when no secret signs."""
        key = principal.key
        if requested is None:
            if key is None or key.webhook.url is None:
                return None
            return Webhook(url=key.webhook.url, events=key.webhook.events or EVENTS, key_id=key.id)
        self.targets.check(requested.url)
        events = requested.events or EVENTS
        if requested.secret:
            sealed_secret = encrypt(self.webhook_key(), principal.owner, requested.secret)
            return Webhook(url=requested.url, events=events, sealed_secret=sealed_secret)
        if key is None:
            raise InvalidRequest(
                "A webhook needs a secret of its own where no API key is required.",
                param="webhook.secret",
                remedy="Make one: echo whsec_$(openssl rand -base64 32)",
            )
        return Webhook(url=requested.url, events=events, key_id=key.id)
