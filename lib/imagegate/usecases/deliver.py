"""Send a recorded announcement to its operation's webhook, again and again until it is taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from imagegate.domain.access.encryption import DecryptionError, decrypt, derive_secret
from imagegate.domain.errors import Unreachable, WebhookRefused
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
"""What is to be tried before; before an end, all that comes before it."""
_LOST_SECONDS = 3600.0
"""Seconds by which a delivery is overdue when the message that drove it must be taken for lost."""
_ORDER_PATIENCE, _ORDER_WAIT = 8.0, 1.0
"""For how many seconds after its event a first attempt waits for those of earlier events, and between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message of the queue. It says which delivery to look at; what is sent stands in the table."""

    message_id: str
    text: str
    """The message as it came."""
    operation_id: str
    sequence: int
    receives: int = 1
    """How often the queue has handed the message out."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What signatures are made of."""

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
    """One visit to a delivery: an attempt, if it is time for one."""

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
        """Seconds after which to come back with the same notice; `None`: never.

        A notice of a delivery that was never recorded is dropped and counted: anybody can say that something
        happened. Raises Conflict when somebody else has just tried the same.
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
        """The delivery that this notice drives, if it drives one."""
        if known.state is DeliveryState.PENDING and known.message_id in ("", notice.message_id):
            return replace(known, message_id=notice.message_id)
        # Another message is a duplicate, unless it was moved back from the dead-letter queue by hand.
        overdue = known.state is DeliveryState.PENDING and self.clock.now() > known.next_at + _LOST_SECONDS
        if known.message_id != notice.message_id and (overdue or known.state is DeliveryState.DEAD):
            return known.restarted(notice.message_id)
        return None

    def _waits_for_earlier(self, operation: Operation, delivery: Delivery) -> bool:
        """True while an earlier event of the operation, which is as young, has not been tried once."""
        webhook = operation.webhook
        before = _BEFORE.get(delivery.event, ("queued", "started") if operation.started_at else ("queued",))
        needed = {event for event in before if webhook and event in webhook.events}
        if not needed or self.clock.now() > delivery.announced_at + _ORDER_PATIENCE:
            return False
        return bool(needed - self.deliveries.tried(operation.id))

    def _in_turn(self, notice: Notice, operation: Operation, webhook: Webhook, delivery: Delivery) -> float | None:
        """Deliver while no other delivery of the owner to that host is under way; else come back later."""
        receiver, now = webhook.receiver(operation.owner), self.clock.now()
        if not self.receivers.take(receiver, notice.message_id, now + LEASE_SECONDS):
            return turn_wait(notice.receives)
        try:
            return self._write_result(notice, operation, self._with_attempt(operation, webhook, delivery, receiver))
        finally:
            self.receivers.release(receiver, notice.message_id)

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
        """Write what came of it; first of all where else it has to be known."""
        webhook = operation.webhook
        if delivery.state is DeliveryState.DISABLED and webhook:
            self.disabled.disable(operation.owner, webhook.url, delivery.expires_at)
        if delivery.state is DeliveryState.DEAD:
            self.dead_letters.put(notice.text, "UNDELIVERED", f"{delivery.event_id} after {delivery.outcome}")
        self.deliveries.put(replace(delivery, version=delivery.version + 1))
        if delivery.state is not DeliveryState.PENDING:
            return None
        return max(delivery.next_at - self.clock.now(), 0.0)
