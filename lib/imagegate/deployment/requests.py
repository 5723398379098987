"""The use cases behind what callers ask for, over HTTP and by events."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from imagegate.domain.access.api_key import Principal
    from imagegate.usecases.authenticate import Authenticate
    from imagegate.usecases.cancel import Cancel
    from imagegate.usecases.intake import Intake
    from imagegate.usecases.redeliver import Redeliver
    from imagegate.usecases.retry import Retry
    from imagegate.usecases.start import Start
    from imagegate.usecases.webhook_choice import ResolveWebhook
    from imagegate.web.services import Services
    from imagegate.web.wait_services import WaitServices

_MOST_BYTES = 3_000_000
"""Bytes of pictures that the wait function puts into an answer: rendering takes four times as much, of its 128 MB."""


class Requests(Shared):
    """Each property is a use case, or the HTTP API over all of them."""

    @cached_property
    def api(self) -> Callable[[Any, Any], dict[str, Any]]:
        """The HTTP API, as a function of API Gateway's event and Lambda's context."""
        from imagegate.web.fastapi_import import import_fastapi

        import_fastapi()  # before anything else does
        from imagegate.web.app import create_app
        from imagegate.web.lambda_handler import lambda_handler

        return lambda_handler(create_app(self.services))

    @cached_property
    def wait(self) -> Callable[[Any, Any], dict[str, Any]]:
        """The wait route, as a function of API Gateway's event and Lambda's context."""
        from dataclasses import replace

        from imagegate.web.lambda_handler import lambda_handler
        from imagegate.web.wait_app import create_wait_app

        return lambda_handler(create_wait_app(replace(self.wait_services, most_bytes=_MOST_BYTES)))

    @cached_property
    def wait_services(self) -> WaitServices:
        """What the wait route works with."""
        from imagegate.domain.timing.long_poll import STARTS_WITHIN
        from imagegate.usecases.links import HopLinks
        from imagegate.usecases.read import Read
        from imagegate.web.wait_services import WaitServices

        settings = self.settings
        return WaitServices(
            authenticate=self.authenticate,
            links=self.links,
            hop_links=HopLinks(links=self.links, active_key=lambda key_id: self._authenticate_key.active_key(key_id)),
            picture_link=self.picture_links,
            request_rate=self.request_rate,
            read=Read(store=self.store, clock=self.clock, retention_days=settings.operation_days),
            images=self.images,
            claims=self.claims,
            latencies=self.latencies,
            routes=self.routes,
            limits_of=self.limits_of,
            clock=self.clock,
            hold_seconds=settings.hold_seconds,
            presign_seconds=settings.presign_seconds,
            yandexart_days=settings.yandexart_days,
            redirects=not settings.long_hold,
            # Clients that follow no redirect are not sent away early, and their functions are reserved for them.
            starts_within=math.inf if settings.long_hold else STARTS_WITHIN,
            cors_origins=settings.cors_origins,
            studio=settings.studio,
            steps=self.steps,
            public_url=settings.public_url,
        )

    @cached_property
    def services(self) -> Services:
        """What the HTTP API works with."""
        from dataclasses import fields

        from imagegate.usecases.delete import Delete
        from imagegate.usecases.estimate import Estimate
        from imagegate.usecases.take_hint import TakeHint
        from imagegate.usecases.uploads import Uploads
        from imagegate.web.services import Services

        waiting, settings = self.wait_services, self.settings
        return Services(
            **{field.name: getattr(waiting, field.name) for field in fields(waiting)},
            usage_ledger=self.usage_ledger,
            start=self.start,
            cancel=self.cancel,
            retry=self.retry,
            take_hint=TakeHint(store=self.store, workflow=self.workflow, request_rate=self.request_rate),
            delete=Delete(store=self.store, images=self.images, deliveries=self.deliveries),
            redeliver=self.redeliver,
            deliveries=self.deliveries,
            disabled_webhooks=self.deliveries,
            estimate=Estimate(routes=self.routes, latencies=self.latencies, expands=settings.expands),
            fetch_pictures=lambda urls: self.input_pictures(urls),
            uploads=Uploads(images=self.images, clock=self.clock),
            listing=self.listing,
            missing_secrets=self.routes.missing_secrets,
        )

    @cached_property
    def authenticate(self) -> Callable[[str | None], Principal]:
        """Finds out who makes a request, by the credential in it. Raises Unauthenticated."""
        from imagegate.usecases.authenticate import everybody

        return everybody if self.settings.access == "open" else self._authenticate_key

    @cached_property
    def _authenticate_key(self) -> Authenticate:
        from imagegate.usecases.authenticate import Authenticate

        return Authenticate(keys=self.api_keys, clock=self.clock, trust_seconds=self.settings.key_cache_seconds)

    @cached_property
    def input_pictures(self) -> Callable[[Sequence[str]], Sequence[bytes]]:
        """Fetches input pictures at addresses that callers give. Raises InvalidRequest."""
        from imagegate.adapters.input_pictures import InputPictures

        return InputPictures()

    @cached_property
    def resolve_webhook(self) -> ResolveWebhook:
        """Which webhook a request gets."""
        from imagegate.usecases.webhook_choice import ResolveWebhook

        return ResolveWebhook(targets=self.webhook_targets, webhook_key=self.webhook_key)

    @cached_property
    def start(self) -> Start:
        """Accepts a request."""
        from imagegate.usecases.find_repeated import FindRepeated
        from imagegate.usecases.start import Start

        return Start(
            store=self.store,
            start_workflow=self.start_workflow,
            routes=self.routes,
            resolve_webhook=self.resolve_webhook,
            find_repeated=FindRepeated(store=self.store, claims=self.claims, clock=self.clock),
            clock=self.clock,
            deadline=self.settings.deadline_seconds,
            expands=self.settings.expands,
            steps=self.steps,
        )

    @cached_property
    def cancel(self) -> Cancel:
        """Cancels an operation."""
        from imagegate.usecases.cancel import Cancel

        return Cancel(update=self.update_with_retry, start_workflow=self.start_workflow, clock=self.clock)

    @cached_property
    def retry(self) -> Retry:
        """Starts an operation again that has failed."""
        from imagegate.usecases.retry import Retry

        return Retry(
            update=self.update_with_retry, start_workflow=self.start_workflow, routes=self.routes, clock=self.clock
        )

    @cached_property
    def intake(self) -> Intake:
        """Accepts a request that came as an event."""
        from imagegate.dialects.operations import events as operations_events
        from imagegate.usecases.intake import Intake

        return Intake(
            parse=operations_events.parse,
            start=self.start,
            principal=self.intake_principal,
            dead_letters=self.dead_letters,
            clock=self.clock,
        )

    @cached_property
    def intake_principal(self) -> Callable[[], Principal]:
        """In whose name requests are accepted that come as events."""
        from imagegate.domain.access.api_key import EVERYBODY
        from imagegate.usecases.authenticate import OnBehalf, everybody

        if self.settings.intake_key == EVERYBODY:
            return lambda: everybody(None)
        return OnBehalf(keys=self.api_keys, clock=self.clock, key_id=self.settings.intake_key)

    @cached_property
    def redeliver(self) -> Redeliver:
        """Sends webhooks again."""
        from imagegate.usecases.redeliver import Redeliver

        return Redeliver(
            deliveries=self.deliveries,
            disabled=self.deliveries,
            queue_redelivery=lambda *which: self.webhook_queue.put(*which),
        )
