"""Send a recorded announcement to its operation's webhook, and retry until the receiver accepts it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from imagegate.domain.access.encryption import DecryptionError, decrypt, derive_secret
from imagegate.domain.errors import Conflict, Unreachable, WebhookRefused
from imagegate.domain.operation.operation import Operation
from imagegate.domain.timing.retry_after import seconds_until
from imagegate.domain.webhooks.delivery import (
    LEASE_SECONDS,
    MOST_POSTS,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    RetryPolicy,
    turn_wait,
)
from imagegate.domain.webhooks.webhook import Webhook, signed_headers
from imagegate.ports.messaging import DeadLetters, Deliveries, DisabledWebhooks, Receivers, WebhookKey, WebhookSender
from imagegate.ports.runtime import Clock, Telemetry
from imagegate.ports.storage import ApiKeys, OperationStore

_BEFORE: Mapping[str, tuple[str, ...]] = {"queued": (), "started": ("queued",)}
"""The events that must have been attempted before this one; an end comes after all of them."""
_LOST_SECONDS = 3600.0
"""Seconds overdue after which the message that drives a delivery counts as lost."""
_ORDER_PATIENCE, _ORDER_WAIT = 8.0, 1.0
"""Seconds after its event for which a first attempt waits for those of earlier events, and between two checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message of the queue. It names a delivery; the table holds what is sent."""

    message_id: str
    text: str
    """The message as received."""
    operation_id: str
    sequence: int
    receives: int = 1
    """How often the message has been received."""


@dataclass(frozen=True, slots=True)
class Signing:
    """The keys that sign webhooks."""

    keys: ApiKeys
    webhook_key: WebhookKey

    def secrets(self, webhook: Webhook, owner: str, now: float) -> Sequence[bytes]:
        """The webhook's own secret, or its key's; two while that is being rotated. Raises Unreachable for none."""
        if webhook.sealed_secret:
            try:
                return [decrypt(self.webhook_key(), owner, webhook.sealed_secret)]
            except DecryptionError:
                raise Unreachable("The webhook's secret was encrypted with a key that is gone.") from None
        key = self.keys.get(webhook.key_id)
        generations = key.webhook.generations(now) if key else ()
        if not generations:
            raise Unreachable("There is no secret to sign with: the API key is gone.")
        return [derive_secret(self.webhook_key(), webhook.key_id, generation) for generation in generations]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Handles one message: makes an attempt if it is due."""

    store: OperationStore
    deliveries: Deliveries
    disabled: DisabledWebhooks
    receivers: Receivers
    dead_letters: DeadLetters
    sender: WebhookSender
    signing: Signing
    telemetry: Telemetry
    clock: Clock
    retry_policy: Callable[[], RetryPolicy]

    def __call__(self, notice: Notice) -> float | None:
        """Attempt the delivery if it is due; returns the seconds until the notice must come again, `None`: never.

        A notice of a delivery that was never recorded is dropped and counted, because a message alone proves nothing.
        Raises Conflict when another invocation has just attempted the same delivery.
        """
        known = self.deliveries.get(notice.operation_id, notice.sequence)
        if known is None:
            self.telemetry.unknown_delivery(notice.operation_id, notice.sequence)
            return None
        operation = self.store.get(notice.operation_id, consistent=True)
        delivery = self._driven(notice, known)
        if operation is None or operation.webhook is None or delivery is None:
            return None
        early = delivery.next_at - self.clock.now()
        if early > 0:
            return early
        if not delivery.tries and self._waits_for_earlier(operation, delivery):
            return _ORDER_WAIT
        return self._in_turn(notice, operation, operation.webhook, delivery)

    def _driven(self, notice: Notice, known: Delivery) -> Delivery | None:
        """The delivery that this notice drives; `None` when another message drives it."""
        if known.state is DeliveryState.PENDING and known.message_id in ("", notice.message_id):
            return replace(known, message_id=notice.message_id)
        # Another message is a duplicate, unless an operator has moved it back from the dead-letter queue.
        overdue = known.state is DeliveryState.PENDING and self.clock.now() > known.next_at + _LOST_SECONDS
        if known.message_id != notice.message_id and (overdue or known.state is DeliveryState.DEAD):
            return known.restarted(notice.message_id)
        return None

    def _waits_for_earlier(self, operation: Operation, delivery: Delivery) -> bool:
        """True while an earlier event of the operation has not been attempted yet, for a few seconds."""
        webhook = operation.webhook
        before = _BEFORE.get(delivery.event, ("queued", "started") if operation.started_at else ("queued",))
        needed = {event for event in before if webhook and event in webhook.events}
        if not needed or self.clock.now() > delivery.announced_at + _ORDER_PATIENCE:
            return False
        return bool(needed - self.deliveries.tried(operation.id))

    def _in_turn(self, notice: Notice, operation: Operation, webhook: Webhook, delivery: Delivery) -> float | None:
        """Deliver unless another delivery of the owner to that host is in progress; else retry later."""
        receiver, now = webhook.receiver(operation.owner), self.clock.now()
        if not self.receivers.take(receiver, notice.message_id, now + LEASE_SECONDS):
            return turn_wait(notice.receives)
        try:
            self._check_current(delivery)
            return self._write_result(notice, operation, self._with_attempt(operation, webhook, delivery, receiver))
        finally:
            self.receivers.release(receiver, notice.message_id)

    def _check_current(self, delivery: Delivery) -> None:
        """Raises Conflict when the delivery was attempted while this one waited for its turn.

        Of two messages about a delivery that was never attempted, neither is known to be the other's duplicate.
        """
        known = self.deliveries.get(delivery.operation_id, delivery.sequence)
        if known is None or known.version != delivery.version:
            raise Conflict(f"delivery {delivery.event_id} was attempted by another message")

    def _with_attempt(self, operation: Operation, webhook: Webhook, delivery: Delivery, receiver: str) -> Delivery:
        if self.disabled.is_disabled(operation.owner, webhook.url):
            return delivery.disabled()
        now = self.clock.now()
        try:
            headers = self._signed(operation, webhook, delivery, now)
        except Unreachable as error:
            return delivery.with_attempt(DeliveryAttempt(at=now, seconds=0.0, error=str(error)), self.retry_policy())
        spared_until = self.receivers.admit(receiver)
        if spared_until > now and not delivery.at_last_attempt:
            return delivery.with_attempt(DeliveryAttempt.spared(now, spared_until), self.retry_policy())
        if not self.deliveries.count_post(operation.id, MOST_POSTS, delivery.expires_at):
            return delivery.exhausted(now)
        attempt = self._sent(webhook, headers, delivery, now)
        self.receivers.report(receiver, attempt.taken_or_gone, delivery.event_id)
        return delivery.with_attempt(attempt, self.retry_policy())

    def _signed(self, operation: Operation, webhook: Webhook, delivery: Delivery, now: float) -> Mapping[str, str]:
        secrets = self.signing.secrets(webhook, operation.owner, now)
        return signed_headers(secrets, delivery.webhook_id, now, delivery.body.encode())

    def _sent(self, webhook: Webhook, headers: Mapping[str, str], delivery: Delivery, now: float) -> DeliveryAttempt:
        try:
            answer = self.sender.send(webhook.url, headers, delivery.body.encode())
        except (Unreachable, WebhookRefused) as error:
            return DeliveryAttempt(at=now, seconds=self.clock.now() - now, error=str(error))
        wait = seconds_until(answer.retry_after, self.clock.now())
        return DeliveryAttempt(at=now, seconds=self.clock.now() - now, status=answer.status, retry_after=wait)

    def _write_result(self, notice: Notice, operation: Operation, delivery: Delivery) -> float | None:
        """Write the outcome of the attempt: the disabled webhook and the dead letter first, then the delivery."""
        webhook = operation.webhook
        if delivery.state is DeliveryState.DISABLED and webhook:
            self.disabled.disable(operation.owner, webhook.url, delivery.expires_at)
        if delivery.state is DeliveryState.DEAD:
            self.dead_letters.put(notice.text, "UNDELIVERED", f"{delivery.event_id} after {delivery.outcome}")
        self.deliveries.put(replace(delivery, version=delivery.version + 1))
        if delivery.state is not DeliveryState.PENDING:
            return None
        return max(delivery.next_at - self.clock.now(), 0.0)
