"""Give a request the webhook it asks for, or else its API key's."""

from dataclasses import replace

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.encryption import encrypt
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.webhooks.webhook import EVENTS, RequestedWebhook, Webhook
from imagegate.ports.messaging import WebhookKey, WebhookPolicy
from imagegate.usecases.start import GenerationRequest


class ResolveWebhook:
    """Settles where the operation of a GenerationRequest will be announced to, and with which secret."""

    def __init__(self, targets: WebhookPolicy, webhook_key: WebhookKey) -> None:
        self._targets = targets
        self._webhook_key = webhook_key

    def __call__(self, generation: GenerationRequest, principal: Principal) -> GenerationRequest:
        """The GenerationRequest with its webhook. Raises WebhookRefused, and InvalidRequest when nothing could sign
        it."""
        if generation.requested_webhook:
            return replace(
                generation,
                webhook=self._resolve_requested(generation.requested_webhook, principal),
                requested_webhook=None,
            )
        default = principal.key.webhook if principal.key else None
        if principal.key is None or default is None or default.url is None:
            return generation
        return replace(generation, webhook=Webhook(default.url, default.events or EVENTS, principal.key.id))

    def _resolve_requested(self, wanted: RequestedWebhook, principal: Principal) -> Webhook:
        self._targets.check(wanted.url)
        events = wanted.events or EVENTS
        if wanted.secret:
            return Webhook(
                wanted.url, events, sealed_secret=encrypt(self._webhook_key(), principal.owner, wanted.secret)
            )
        if principal.key is None:
            raise InvalidRequest(
                "Where no API key is asked for, a webhook needs a secret of its own.",
                param="webhook.secret",
                remedy="Make one: echo whsec_$(openssl rand -base64 32)",
            )
        return Webhook(wanted.url, events, principal.key.id)
