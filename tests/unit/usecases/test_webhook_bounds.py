"""A webhook's receiver need not have agreed to anything: how much may be sent there, whatever its owner asks for."""

from dataclasses import dataclass, field, replace

import pytest

from imagegate.domain.access.encryption import encrypt
from imagegate.domain.errors import RateLimited, Unreachable, WrongState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.timing.circuit import FAILURES
from imagegate.domain.webhooks.delivery import MOST_POSTS, DeliveryState, turn_wait
from imagegate.domain.webhooks.webhook import EVENTS, Webhook
from imagegate.ports.messaging import WebhookAnswer
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.deliver import Notice
from imagegate.usecases.redeliver import PAUSE, Redeliver
from imagegate.usecases.retry import MOST_RETRIES, Retry
from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.usecases.update import UpdateWithRetry
from support.fakes import MemoryWorkflow, routes
from support.webhook_world import KEY, SECRET, URL, Receiver, World

pytestmark = pytest.mark.slow

OK, REFUSED = WebhookAnswer(200), WebhookAnswer(403)
DAY = 86_400.0


@dataclass
class Attacker:
    """Asks for all that an owner may: cancels, retries, redelivers, each as often as it is let."""

    world: World
    queue: dict[str, tuple[float, Notice]] = field(default_factory=dict)
    """What the queue holds: when each message comes back."""
    seen: int = 0

    def __post_init__(self) -> None:
        update_with_retry = UpdateWithRetry(store=self.world.store, clock=self.world.clock)
        start_workflow = StartWorkflow(store=self.world.store, workflow=MemoryWorkflow(), clock=self.world.clock)
        self._cancel = Cancel(update=update_with_retry, start_workflow=start_workflow, clock=self.world.clock)
        self._retry = Retry(
            update=update_with_retry, start_workflow=start_workflow, routes=routes("alpha"), clock=self.world.clock
        )
        self._redeliver = Redeliver(
            deliveries=self.world.deliveries, disabled=self.world.deliveries, queue_redelivery=self.send
        )
        self._messages = 0
        self.told()

    def send(self, operation_id: str, sequence: int) -> None:
        self._messages += 1
        name = f"message {self._messages}"
        self.queue[name] = (
            self.world.clock.now(),
            Notice(message_id=name, text="{}", operation_id=operation_id, sequence=sequence),
        )

    def told(self) -> None:
        """Hand the queue what was published."""
        while self.world.queued:
            self.send(*self.world.queued.pop(0))

    def change(self, made: Operation) -> None:
        self.world.publish([(self.world.operation, made)])
        self.world.operation = made
        self.told()

    def churn(self) -> None:
        """Cancel and retry until that is refused."""
        while True:
            try:
                self.change(self._cancel(self.world.operation))
                self.change(self._retry(self.world.operation))
            except WrongState:
                return

    def redeliver(self, event_id: str | None = None) -> bool:
        try:
            self._redeliver(self.world.operation, event_id)
        except (WrongState, RateLimited):
            return False
        return True

    def pass_time(self, seconds: float) -> None:
        """Deliver what is due, as long as it takes."""
        end = self.world.clock.now() + seconds
        while self.queue and min(at for at, _ in self.queue.values()) <= end:
            name = min(self.queue, key=lambda entry: self.queue[entry][0])
            at, notice = self.queue.pop(name)
            self.world.clock.time = max(self.world.clock.time, at)
            wait = self.world.deliver(notice)
            if wait is not None:
                self.queue[name] = (self.world.clock.now() + max(wait, 0.001), notice)
        self.world.clock.time = max(self.world.clock.time, end)


def posts(world: World) -> int:
    return len(world.receiver.got)


@pytest.mark.parametrize("answer", [OK, REFUSED, Unreachable("No answer in time.")], ids=["takes", "refuses", "silent"])
def test_one_operation_makes_a_hundred_posts_at_most(answer: WebhookAnswer | Exception) -> None:
    """docs/webhooks.md names the number. All that has not arrived is redelivered, or one event after another."""
    attacker = Attacker(World(receiver=Receiver([answer])))
    attacker.churn()
    for turn in range(200):
        event_id = f"{attacker.world.operation.id}.{turn % attacker.world.operation.version + 1}"
        attacker.redeliver() or attacker.redeliver(event_id)
        attacker.pass_time(5 * PAUSE)
    attacker.pass_time(30 * DAY)
    assert posts(attacker.world) == MOST_POSTS == 100
    assert not attacker.redeliver()
    assert not attacker.redeliver(f"{attacker.world.operation.id}.1")
    attacker.pass_time(DAY)
    assert posts(attacker.world) == MOST_POSTS


def test_retries_are_bounded_also_when_nothing_was_ever_submitted() -> None:
    attacker = Attacker(World())
    attacker.churn()
    operation = attacker.world.operation
    assert (operation.retries, len(operation.attempts), operation.state) == (MOST_RETRIES, 0, State.CANCELLED)
    assert len(attacker.world.deliveries.kept) == 2 * (MOST_RETRIES + 1)
    with pytest.raises(WrongState, match=f"has been retried {MOST_RETRIES} times") as refused:
        attacker._retry(operation)
    assert refused.value.remedy == "Start a new one."


def test_a_host_that_refuses_is_spared_by_all_deliveries_of_its_owner() -> None:
    """Was 176 POSTs in 25 s."""
    attacker = Attacker(World(receiver=Receiver([REFUSED])))
    attacker.churn()
    attacker.pass_time(25)
    assert posts(attacker.world) <= FAILURES + 1
    attacker.pass_time(3600)
    assert posts(attacker.world) <= FAILURES + 1 + 3600 / 300 + 4


def test_what_was_spared_says_so_and_arrives_when_the_host_is_well_again() -> None:
    attacker = Attacker(World(receiver=Receiver([REFUSED])))
    attacker.churn()
    attacker.pass_time(20)
    spared = [entry for entry in attacker.world.deliveries.kept.values() if "left alone" in str(entry.tries[-1].error)]
    assert spared
    assert {entry.tries[-1].status for entry in spared} == {None}
    attacker.world.receiver.answers = [OK]
    attacker.pass_time(2 * 3600)
    assert {operation.state for operation in attacker.world.deliveries.kept.values()} == {DeliveryState.DELIVERED}


def test_the_last_attempt_is_made_whatever_the_host_did_before() -> None:
    world = World(receiver=Receiver([REFUSED, OK]))
    world.deliver(world.notice())
    delivery = replace(world.only(), failures=9, next_at=0.0, version=world.only().version + 1)
    world.deliveries.put(delivery)
    receiver = world.hook.receiver("me")
    for event in range(FAILURES):
        world.receivers.report(receiver, False, f"event {event}")
    assert world.receivers.admit(receiver) > world.clock.now()
    assert world.deliver(world.notice()) is None
    assert world.only().state is DeliveryState.DELIVERED


def test_another_owner_and_another_host_are_not_spared() -> None:
    world = World()
    for event in range(FAILURES):
        world.receivers.report(world.hook.receiver("another owner"), False, f"event {event}")
        world.receivers.report(
            Webhook(url="https://other.example.com/", events=EVENTS).receiver("me"), False, f"event {event}"
        )
    assert world.deliver(world.notice()) is None
    assert world.only().state is DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://HOOKS.example.com./other?q", True),
        ("https://hooks.example.com:8443/x", True),
        ("https://b.example.com/x", False),
    ],
)
def test_a_receiver_is_a_host_however_it_is_written(url: str, same: bool) -> None:
    assert (Webhook(url=url, events=EVENTS).receiver("me") == Webhook(url=URL, events=EVENTS).receiver("me")) is same


def test_on_this_machine_each_port_is_another_receiver() -> None:
    here = {Webhook(url=f"http://127.0.0.1:{port}/", events=EVENTS).receiver("me") for port in (8000, 8001)}
    assert len(here) == 2


def test_one_delivery_to_a_host_is_under_way_at_a_time_and_the_others_wait_ever_longer() -> None:
    world = World()
    world.receivers.take(world.hook.receiver("me"), "another message", world.clock.now() + 25)
    waits = [world.deliver(replace(world.notice(), receives=receives)) for receives in (1, 2, 1000)]
    assert waits == [turn_wait(1), turn_wait(2), turn_wait(1000)] == [1, 2, 300]
    assert world.receiver.got == []
    assert world.only().tries == ()
    elsewhere = Webhook(url="https://other.example.com/", events=EVENTS, sealed_secret=encrypt(KEY, "me", SECRET))
    world.store.replace(replace(world.operation, webhook=elsewhere, version=2))
    assert world.deliver(world.notice(sequence=1)) is None, "another host's turn is its own"


def test_a_turn_that_was_never_given_back_ends() -> None:
    world = World()
    world.receivers.take(world.hook.receiver("me"), "a dead process", world.clock.now() + 25)
    world.clock.sleep(25)
    assert world.deliver(world.notice()) is None


def test_it_is_redelivered_once_a_minute() -> None:
    world = World(receiver=Receiver([REFUSED]))
    world.deliver(world.notice())
    world.redeliver(world.operation)
    world.clock.sleep(15)
    with pytest.raises(RateLimited) as refused:
        world.redeliver(world.operation)
    assert refused.value.retry_after == 45
    world.clock.sleep(45)
    assert len(world.redeliver(world.operation)) == 1


def test_what_its_operation_may_no_longer_send_is_put_aside_with_the_reason() -> None:
    world = World()
    world.deliveries.counted["0" * 20] = MOST_POSTS
    assert world.deliver(world.notice()) is None
    assert (world.only().state, world.receiver.got) == (DeliveryState.DEAD, [])
    [(_, code, reason)] = world.dead.dead_letters
    assert code == "UNDELIVERED"
    assert "this operation has made the 100 POSTs that it may" in reason
