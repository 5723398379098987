"""One operation with a webhook and everything that delivers its announcements, on the ports in memory."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from imagegate.deployment import Deployment
from imagegate.domain.access.encryption import encrypt
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.webhooks.delivery import Delivery, RetryPolicy
from imagegate.domain.webhooks.webhook import EVENTS, Webhook
from imagegate.ports.messaging import WebhookAnswer
from imagegate.settings import Settings
from imagegate.usecases.deliver import Notice
from support.fakes import (
    FakeClock,
    MemoryApiKeys,
    MemoryBus,
    MemoryDeliveries,
    MemoryReceivers,
    MemoryStore,
    MemoryTelemetry,
    no_aws,
)

KEY = bytes(range(32))
SECRET = b"s" * 32
URL = "https://hooks.example.com/x?token=t"


@dataclass
class Receiver:
    """Answers from a script, the last answer again and again; remembers what it got."""

    answers: list[WebhookAnswer | Exception] = field(default_factory=lambda: [WebhookAnswer(200)])
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def send(self, url: str, headers: dict[str, str], body: bytes) -> WebhookAnswer:
        self.got.append((url, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class DeadLetterList:
    dead_letters: list[tuple[str, str, str]] = field(default_factory=list)

    def put(self, message: str, code: str, reason: str) -> None:
        self.dead_letters.append((message, code, reason))


@dataclass
class World:
    """One operation with a webhook, and everything that delivers its announcements."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    keys: MemoryApiKeys = field(default_factory=MemoryApiKeys)
    receiver: Receiver = field(default_factory=Receiver)
    dead: DeadLetterList = field(default_factory=DeadLetterList)
    queued: list[tuple[str, int]] = field(default_factory=list)
    """What the queue of webhooks was given: operation and sequence."""
    bus: MemoryBus = field(default_factory=MemoryBus)
    hook: Webhook = field(
        default_factory=lambda: Webhook(url=URL, events=EVENTS, sealed_secret=encrypt(KEY, "me", SECRET))
    )

    def __post_init__(self) -> None:
        now = self.clock.now()
        request = ImageRequest(model="flux", messages=(Message("a cat"),))
        made = Operation(
            id="0" * 20,
            owner="me",
            dialect="operations",
            request=request,
            created_at=now,
            deadline=now + 900,
            due_at=now,
            updated_at=now,
            webhook=self.hook,
        )
        self.deliveries = MemoryDeliveries(self.clock)
        self.receivers = MemoryReceivers(self.clock)
        deployment = Deployment(
            Settings(access="open", public_url="https://api.example.com", operation_days=1),
            no_aws,
            clock=self.clock,
            store=self.store,
            bus=self.bus,
            telemetry=self.telemetry,
            api_keys=self.keys,
            deliveries=self.deliveries,
            receivers=self.receivers,
            dead_letters=self.dead,
            webhook_sender=self.receiver,
            existing_webhook_key=lambda: KEY,
            webhook_queue=SimpleNamespace(put=lambda *which: self.queued.append(which)),
            retry_policy=RetryPolicy,
            picture_links=lambda operation, slot: f"/v1/images/{operation.id}-{slot}?token=t",
        )
        self.publish, self.deliver, self.redeliver = deployment.publish, deployment.deliver, deployment.redeliver
        self.operation = made
        self.store.create(made)
        self.publish([(None, made)])

    def becomes(self, state: State, **changes: Any) -> Notice:
        """The notice of the operation's next state."""
        moved = self.operation.moved(state, self.clock.now(), **changes)
        before = self.operation
        self.operation = replace(moved, version=before.version + 1, updated_at=self.clock.now())
        self.store.replace(self.operation)
        self.publish([(before, self.operation)])
        return self.notice()

    def notice(self, message_id: str = "", sequence: int = 0) -> Notice:
        """A message about a delivery of the operation, the latest one unless told otherwise."""
        sequence = sequence or self.operation.version
        return Notice(
            message_id=message_id or f"m{sequence}", text="{}", operation_id=self.operation.id, sequence=sequence
        )

    def only(self) -> Delivery:
        [delivery] = self.deliveries.kept.values()
        return delivery

    def until_it_ends(self, notice: Notice) -> list[float]:
        """Come back as often as told; returns the waits."""
        waits = []
        while (wait := self.deliver(notice)) is not None:
            waits.append(wait)
            self.clock.sleep(wait)
        return waits
