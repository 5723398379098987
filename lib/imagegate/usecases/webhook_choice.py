"""Give a request the webhook it asks for, or else its API key's."""

from dataclasses import replace

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.encryption import seal
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.webhooks.webhook import EVENTS, WantedWebhook, Webhook
from imagegate.ports.messaging import WebhookKey, WebhookTargets
from imagegate.usecases.start import Ask


class Attach:
    """Settles where the operation of an Ask will be announced to, and with which secret."""

    def __init__(self, targets: WebhookTargets, webhook_key: WebhookKey) -> None:
        self._targets = targets
        self._webhook_key = webhook_key

    def __call__(self, ask: Ask, principal: Principal) -> Ask:
        """The Ask with its webhook. Raises WebhookRefused, and InvalidRequest when nothing could sign it."""
        if ask.wanted_webhook:
            return replace(ask, webhook=self._own(ask.wanted_webhook, principal), wanted_webhook=None)
        default = principal.key.webhook if principal.key else None
        if principal.key is None or default is None or default.url is None:
            return ask
        return replace(ask, webhook=Webhook(default.url, default.events or EVENTS, principal.key.id))

    def _own(self, wanted: WantedWebhook, principal: Principal) -> Webhook:
        self._targets.check(wanted.url)
        events = wanted.events or EVENTS
        if wanted.secret:
            return Webhook(wanted.url, events, sealed_secret=seal(self._webhook_key(), principal.owner, wanted.secret))
        if principal.key is None:
            raise InvalidRequest(
                "Where no API key is asked for, a webhook needs a secret of its own.",
                param="webhook.secret",
                remedy="Make one: echo whsec_$(openssl rand -base64 32)",
            )
        return Webhook(wanted.url, events, principal.key.id)
