"""Send an announcement to its operation's webhook, again and again until it is taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from imagegate.domain.delivery import Delivery, DeliveryState, Pace, Try
from imagegate.domain.errors import Unreachable, WebhookRefused
from imagegate.domain.operation import Operation
from imagegate.domain.representation import picture_id
from imagegate.domain.retry_after import seconds_until
from imagegate.domain.sealing import BrokenSeal, derived, opened
from imagegate.domain.webhook import Webhook, signed_headers
from imagegate.domain.webhook_body import body_of
from imagegate.ports.keeping import ApiKeys, Clock, OperationStore, PictureLink
from imagegate.ports.telling import DeadLetters, Deliveries, DisabledWebhooks, WebhookKey, WebhookSender

_BEFORE: Mapping[str, tuple[str, ...]] = {"queued": (), "started": ("queued",)}
"""What is to be tried before; before an end, all that comes before it."""
_LOST = 3600.0
"""Seconds by which a delivery is overdue when the message that drove it must be taken for lost."""
_ORDER_PATIENCE, _ORDER_WAIT = 8.0, 1.0
"""For how many seconds after its event a first attempt waits for those of earlier events, and between two looks."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of the queue: what happened, as the bus announced it, or that it is to be sent again."""

    message_id: str
    text: str
    """The message as it came."""
    operation_id: str
    sequence: int
    event: str = ""
    """A word of `webhook.EVENTS`."""
    detail: Mapping[str, Any] | None = None
    """The event's; `None` when it is to be sent again."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What signatures are made of."""

    keys: ApiKeys
    webhook_key: WebhookKey

    def secrets(self, webhook: Webhook, owner: str, now: float) -> Sequence[bytes]:
        """The webhook's own secret, or its key's; two while that is being rotated."""
        if webhook.sealed_secret:
            try:
                return [opened(self.webhook_key(), owner, webhook.sealed_secret)]
            except BrokenSeal:
                raise Unreachable("The webhook's secret was encrypted with a key that is gone.") from None
        key = self.keys.get(webhook.key_id)
        generations = key.webhook.generations(now) if key else ()
        return [derived(self.webhook_key(), webhook.key_id, one) for one in generations]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where receivers find the operation and its pictures."""

    base_url: str
    link: PictureLink

    def located(self, detail: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
        """The event's detail with URLs, for receivers that have nothing but this."""
        shown = detail["operation"]
        images = [self._image(one, operation) for one in shown["images"]]
        urls = {"self": f"{self.base_url}/v1/operations/{operation.id}"}
        located = {**shown, "images": images, "urls": urls}
        told = {name: detail[name] for name in ("event_id", "sequence", "abridged")}
        return {**told, "operation": located}

    def _image(self, image: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
        slot = image["slot"]
        told = {name: value for name, value in image.items() if name != "bucket"}  # of no use outside the account
        return {**told, "id": picture_id(operation, slot), "url": self.base_url + self.link(operation, slot)}


class Deliver:
    """One visit to a delivery: an attempt, if it is time for one."""

    def __init__(
        self,
        store: OperationStore,
        deliveries: Deliveries,
        disabled: DisabledWebhooks,
        dead_letters: DeadLetters,
        sender: WebhookSender,
        signing: Signing,
        pictures: Pictures,
        clock: Clock,
        pace: Callable[[], Pace],
        retention: float,
    ) -> None:
        """`retention`: seconds for which an operation's record is kept."""
        self._store = store
        self._deliveries = deliveries
        self._disabled = disabled
        self._dead_letters = dead_letters
        self._sender = sender
        self._signing = signing
        self._pictures = pictures
        self._clock = clock
        self._pace = pace
        self._retention = retention

    def __call__(self, notice: Notice) -> float | None:
        """Seconds after which to come back with the same notice; `None`: never.

        Raises Conflict when somebody else has just tried the same.
        """
        operation = self._store.get(notice.operation_id, consistent=True)
        if operation is None or operation.webhook is None:
            return None
        delivery = self._found(notice, operation)
        if delivery is None:
            return None
        early = delivery.next_at - self._clock.now()
        if early > 0:
            return early
        if not delivery.tries and self._earlier_ones_wait(operation, delivery):
            return _ORDER_WAIT
        return self._settled(notice, operation, self._after_attempt(operation, operation.webhook, delivery))

    def _found(self, notice: Notice, operation: Operation) -> Delivery | None:
        """The delivery that this notice drives, if it drives one."""
        known = self._deliveries.get(notice.operation_id, notice.sequence)
        if known is None:
            return self._new(notice, operation)
        if known.state is DeliveryState.PENDING and known.message_id in ("", notice.message_id):
            return replace(known, message_id=notice.message_id)
        # Another message is a duplicate of the bus, unless it was moved back from the dead-letter queue by hand.
        overdue = known.state is DeliveryState.PENDING and self._clock.now() > known.next_at + _LOST
        if known.message_id != notice.message_id and (overdue or known.state is DeliveryState.DEAD):
            return known.begun(notice.message_id)
        return None

    def _new(self, notice: Notice, operation: Operation) -> Delivery | None:
        webhook, detail = operation.webhook, notice.detail
        if webhook is None or detail is None or notice.event not in webhook.events:
            return None
        return Delivery(
            operation.id,
            notice.sequence,
            notice.event,
            detail["event_id"],
            body_of(notice.event, self._pictures.located(detail, operation)),
            datetime.fromisoformat(detail["operation"]["updated_at"]).timestamp(),
            operation.created_at + self._retention,
            notice.message_id,
        )

    def _earlier_ones_wait(self, operation: Operation, delivery: Delivery) -> bool:
        """True while an earlier event of the operation, which is as young, has not been tried once."""
        webhook = operation.webhook
        before = _BEFORE.get(delivery.event, ("queued", "started") if operation.started_at else ("queued",))
        needed = {one for one in before if webhook and one in webhook.events}
        if not needed or self._clock.now() > delivery.announced_at + _ORDER_PATIENCE:
            return False
        return bool(needed - self._deliveries.tried(operation.id))

    def _after_attempt(self, operation: Operation, webhook: Webhook, delivery: Delivery) -> Delivery:
        if self._disabled.is_disabled(operation.owner, webhook.url):
            return delivery.disabled()
        return delivery.tried(self._attempt(operation, webhook, delivery), self._pace())

    def _attempt(self, operation: Operation, webhook: Webhook, delivery: Delivery) -> Try:
        now, body = self._clock.now(), delivery.body.encode()
        try:
            secrets = self._signing.secrets(webhook, operation.owner, now)
            if not secrets:
                raise Unreachable("There is no secret to sign with: the API key is gone.")
            headers = signed_headers(secrets, delivery.webhook_id, now, body)
            answer = self._sender.send(webhook.url, headers, body)
        except (Unreachable, WebhookRefused) as error:
            return Try(now, self._clock.now() - now, error=str(error))
        wait = seconds_until(answer.retry_after, self._clock.now())
        return Try(now, self._clock.now() - now, answer.status, retry_after=wait)

    def _settled(self, notice: Notice, operation: Operation, delivery: Delivery) -> float | None:
        """Write what came of it; first of all where else it has to be known."""
        webhook = operation.webhook
        if delivery.state is DeliveryState.DISABLED and webhook:
            self._disabled.disable(operation.owner, webhook.url, delivery.expires_at)
        if delivery.state is DeliveryState.DEAD:
            self._dead_letters.put(
                notice.text, "UNDELIVERED", f"{delivery.event_id} after {delivery.failures} attempts"
            )
        self._deliveries.put(replace(delivery, version=delivery.version + 1))
        if delivery.state is not DeliveryState.PENDING:
            return None
        return max(delivery.next_at - self._clock.now(), 0.0)
