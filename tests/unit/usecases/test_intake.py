"""intake: what is asked for by events, once however often they come; what is refused, aside with the reason."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from imagegate.deployment import Deployment
from imagegate.domain.access.api_key import EVERYBODY, KeyLimits, Principal, issue
from imagegate.domain.errors import RateLimited
from imagegate.domain.operation.events import DETAIL_TYPES
from imagegate.domain.webhooks.webhook import secret_text
from imagegate.local.stack.packaging import load_yaml
from imagegate.settings import Settings
from imagegate.usecases.authenticate import OnBehalf
from imagegate.usecases.intake import LONGEST_PAUSE, PATIENCE, PAUSE
from support.fakes import MemoryApiKeys, MemoryDeadLetters, no_aws
from support.functions import load
from support.stack_settings import MONITORING
from support.world import World, ready

RESOURCES = load_yaml(MONITORING)["Resources"]


def message(event_id: str = "e-1", **changes: Any) -> str:
    return json.dumps(
        {"id": event_id, "time": "2027-01-15T08:00:00Z", "detail": {"model": "flux", "prompt": "a cat"} | changes}
    )


@dataclass
class Queue:
    """Remembers what was hidden, and for how long. It cannot hide `lost`."""

    hidden: dict[str, float] = field(default_factory=dict)
    lost: str = ""

    def hide(self, receipt_handle: str, seconds: float) -> None:
        if receipt_handle == self.lost:
            raise ConnectionError("the queue is away")
        self.hidden[receipt_handle] = seconds


class Desk:
    """The use case with a world behind it."""

    def __init__(self) -> None:
        self.world = World()
        self.dead_letters = MemoryDeadLetters()
        self.principal: Any = lambda: Principal(EVERYBODY)
        self.queue = Queue()
        self.deployment = Deployment(
            Settings(),
            no_aws,
            clock=self.world.clock,
            start=self.world.deployment.start,
            intake_principal=lambda: self.principal(),
            dead_letters=self.dead_letters,
            intake_queue=self.queue,
        )

    def intake(self, body: str, waited: float = 0) -> float | None:
        return self.deployment.intake(body, self.world.clock.now() - waited)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(code, reason) for _, code, reason in self.dead_letters.dead_letters]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_event_becomes_an_operation_of_its_principal(desk: Desk) -> None:
    desk.intake(message(metadata={"order": "7"}))
    [operation] = desk.world.store.history
    assert (operation.owner, operation.metadata, operation.dialect) == (EVERYBODY, {"order": "7"}, "operations")
    assert desk.world.workflow.runs == [(operation.id, operation.id)]
    assert not desk.dead_letters.dead_letters


def test_an_event_brings_its_webhook_along(desk: Desk) -> None:
    hook = {"url": "https://hooks.example.com/", "secret": secret_text(b"s" * 32)}
    desk.intake(message(webhook=hook))
    [operation] = desk.world.store.history
    assert operation.webhook
    assert operation.webhook.url == hook["url"]
    assert operation.webhook.sealed_secret
    desk.intake(message("e-2", webhook={"url": "https://hooks.example.com/"}))
    desk.intake(message("e-3", webhook={**hook, "url": "http://hooks.example.com/"}))
    assert [code for code, _ in desk.reasons] == ["invalid_request", "webhook_refused"]


def test_the_same_event_twice_is_one_operation(desk: Desk) -> None:
    for event_id, changes in (("e-1", {}), ("e-1", {}), ("e-2", {"id": "order"}), ("e-3", {"id": "order"})):
        desk.intake(message(event_id, **changes))
    assert len(desk.world.store.history) == 2
    desk.intake(message("e-4"))
    assert len(desk.world.store.history) == 3


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("{", "invalid_request"),
        (message(model="nope"), "model_not_found"),
        (message(provider="nope"), "provider_not_found"),
        (message(negative_prompt="dogs"), "invalid_request"),
    ],
)
def test_what_is_refused_is_put_aside_as_it_came_with_the_reason(desk: Desk, bad: str, code: str) -> None:
    desk.intake(bad)
    [(letter, word, reason)] = desk.dead_letters.dead_letters
    assert (letter, word) == (bad, code)
    assert reason.endswith(".")
    assert "a cat" not in reason
    assert not desk.world.store.history


def test_another_request_under_the_same_id_is_refused(desk: Desk) -> None:
    desk.intake(message())
    desk.intake(message(prompt="a dog"))
    assert [code for code, _ in desk.reasons] == ["idempotency_key_reused"]


def test_events_are_held_to_the_limits_of_their_key(desk: Desk) -> None:
    key, _ = issue("events", 0.0, limits=KeyLimits(concurrent=1, pictures_per_day=2))
    desk.principal = lambda: Principal(key.owner, key)
    assert desk.intake(message("e-1")) is None
    assert desk.intake(message("e-2")) is not None
    assert not desk.dead_letters.dead_letters
    desk.world.cancel(desk.world.store.history[-1])
    desk.intake(message("e-2"))
    desk.intake(message("e-3", n=2))
    [(code, reason)] = desk.reasons
    assert code == "insufficient_quota"
    assert reason.startswith("This API key has 1 of its 2 pictures left today, and this request may make 2.")


def test_a_key_lends_its_owner_and_its_models_until_it_is_revoked(desk: Desk) -> None:
    keys, clock = MemoryApiKeys(), desk.world.clock
    key, _ = issue("events", clock.now(), models=("flux",))
    keys.put(key)
    desk.principal = OnBehalf(keys=keys, clock=clock, key_id=key.id)
    desk.intake(message("e-1"))
    assert desk.world.store.history[-1].owner == key.id
    keys.put(key.revoked(clock.now()))
    desk.intake(message("e-2"))
    desk.principal = OnBehalf(keys=keys, clock=clock, key_id="unknown")
    desk.intake(message("e-3"))
    other, _ = issue("art", clock.now(), models=("art",))
    keys.put(other)
    desk.principal = OnBehalf(keys=keys, clock=clock, key_id=other.id)
    desk.intake(message("e-4"))
    assert [code for code, _ in desk.reasons] == ["invalid_api_key", "invalid_api_key", "model_not_allowed"]
    assert "revoked" in desk.reasons[0][1]
    assert len(desk.world.store.history) == 1


def test_what_its_keys_limits_forbid_now_waits_for_a_day_at_most(desk: Desk) -> None:
    world = desk.world
    key, _ = issue("events", world.clock.now(), limits=KeyLimits(concurrent=1))
    desk.principal = lambda: Principal(key.owner, key)
    assert desk.intake(message("e-1")) is None
    seconds = desk.intake(message("e-2"))
    assert seconds is not None
    assert PAUSE <= seconds <= LONGEST_PAUSE
    assert len(world.store.documents) == 1
    world.alpha.checks = [ready()]
    world.drive(next(iter(world.store.history)))
    assert desk.intake(message("e-2"), seconds) is None
    assert len(world.store.documents) == 2

    assert desk.intake(message("e-3"), PATIENCE) is not None
    assert not desk.dead_letters.dead_letters
    assert desk.intake(message("e-3"), PATIENCE + 1) is None
    assert desk.reasons[0][0] == "rate_limit_exceeded"


@pytest.mark.parametrize("time", ["9999-12-31T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_patience_does_not_depend_on_the_producers_time(desk: Desk, time: str) -> None:
    key, _ = issue("events", 0.0, limits=KeyLimits(concurrent=1))
    desk.principal = lambda: Principal(key.owner, key)
    desk.intake(message("e-1"))
    body = json.dumps(json.loads(message("e-2")) | {"time": time})
    assert desk.intake(body) is not None
    assert not desk.dead_letters.dead_letters
    assert desk.intake(body, PATIENCE + 1) is None
    assert [code for code, _ in desk.reasons] == ["rate_limit_exceeded"]


def test_a_long_wait_is_cut_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise RateLimited("Wait.", retry_after=40_000)

    monkeypatch.setattr(type(desk.world.deployment.start), "__call__", busy)
    assert desk.intake(message()) == LONGEST_PAUSE


def batch(desk: Desk, *bodies: str) -> dict[str, Any]:
    sent = {"SentTimestamp": str(int(desk.world.clock.now() * 1000))}
    return {
        "Records": [
            {"messageId": str(at), "body": body, "receiptHandle": f"r-{at}", "attributes": sent}
            for at, body in enumerate(bodies)
        ]
    }


def failures(answer: dict[str, Any]) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


def test_of_a_batch_only_what_broke_down_comes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handler = load("intake", desk.deployment).handler
    create = desk.world.store.create

    def fragile(operation: Any, *more: Any) -> None:
        if operation.request.prompt == "a storm":
            raise ConnectionError("the table is away")
        create(operation, *more)

    monkeypatch.setattr(desk.world.store, "create", fragile)
    records = batch(desk, message("e-1"), "{", message("e-2", prompt="a storm"), message("e-3"))
    assert failures(handler(records, None)) == ["2"]
    assert len(desk.world.store.history) == 2
    assert len(desk.dead_letters.dead_letters) == 1
    reported = RESOURCES["IntakeBreakdowns"]["Properties"]["FilterPattern"].strip('"')
    assert [reported in line for line in caplog.messages] == [True]
    monkeypatch.setattr(desk.world.store, "create", create)
    assert failures(handler(records, None)) == []
    assert len(desk.world.store.history) == 3
    assert not desk.queue.hidden


def test_what_has_to_wait_is_hidden_and_stays_in_its_queue(desk: Desk) -> None:
    key, _ = issue("events", 0.0, limits=KeyLimits(concurrent=1))
    desk.principal = lambda: Principal(key.owner, key)
    handler = load("intake", desk.deployment).handler
    records = batch(desk, *(message(f"e-{number}") for number in range(4)))
    desk.queue.lost = "r-2"
    assert failures(handler(records, None)) == ["1", "2", "3"]
    assert desk.queue.hidden.keys() == {"r-1", "r-3"}
    assert all(PAUSE <= seconds <= LONGEST_PAUSE for seconds in desk.queue.hidden.values())
    desk.world.clock.sleep(PATIENCE + 1)
    assert failures(handler(records, None)) == []
    assert [code for code, _ in desk.reasons] == ["rate_limit_exceeded"] * 3


def test_what_we_announce_is_never_taken_for_a_request() -> None:
    assert "Image Generation Requested" not in DETAIL_TYPES.values()
