"""What a caller is told who may not go on, and what has been done by then: nothing."""

from dataclasses import replace

import pytest

from imagegate.domain.access.api_key import EVERYBODY, KeyWebhook, Principal, issue
from imagegate.domain.errors import Conflict, InvalidRequest, KeyReused, TooLarge, Unauthenticated, WrongState
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.coalescing import Claim, Claimed
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.webhooks.delivery import Delivery, DeliveryState
from imagegate.domain.webhooks.webhook import EVENTS, RequestedWebhook, Webhook
from imagegate.usecases.authenticate import OnBehalf
from imagegate.usecases.redeliver import Redeliver
from imagegate.usecases.retry import MOST_ATTEMPTS
from imagegate.usecases.start import LARGEST_TEXTS, GenerationRequest
from imagegate.usecases.webhook_choice import ResolveWebhook
from support.fakes import FakeClock, MemoryApiKeys, MemoryDeliveries, MemoryStore, failing
from support.world import World

CAT = GenerationRequest(
    request=ImageRequest(model="flux", messages=(Message("a cat"),)),
    dialect="openai_images",
    digest="cat",
    idempotency_key="k",
)


def test_a_key_that_came_with_another_request_says_what_to_do() -> None:
    world = World()
    world.start(CAT)
    with pytest.raises(KeyReused) as refused:
        world.start(replace(CAT, digest="dog"))
    assert refused.value.message == "This Idempotency-Key was used with another request."
    assert refused.value.param == "Idempotency-Key"
    assert refused.value.remedy == "Use a new key for a new request, or repeat the first one unchanged."
    assert len(world.store.documents) == 1


@pytest.mark.parametrize("coalesce", [True, False])
def test_only_a_client_that_was_told_to_try_again_begins_anew_with_its_key(coalesce: bool) -> None:
    world = World()
    throttled = failing(FailureCode.RATE_LIMITED)
    world.alpha.submissions, world.beta.submissions = [throttled], [throttled]
    generation = replace(CAT, coalesce=coalesce, deadline=60.0)
    failed = world.drive(world.start(generation))
    assert failed.failure
    assert failed.failure.code is FailureCode.RATE_LIMITED
    assert (world.start(generation).id != failed.id) is coalesce


def test_a_key_whose_operation_was_deleted_is_free() -> None:
    world = World()
    first = world.start(CAT)
    world.store.delete(world.now(first))
    assert world.start(CAT).id != first.id


def test_a_race_that_cannot_be_won_is_given_up() -> None:
    class Contested(MemoryStore):
        """Another process is always first, and gone at once."""

        def create(self, operation: Operation, over: str | None = None, *_: object) -> None:
            raise Claimed(Claim("gone"))

    world = World(store=Contested())
    with pytest.raises(Conflict):
        world.start(CAT)
    assert not world.workflow.runs


def test_texts_too_long_to_keep_are_refused_with_their_size() -> None:
    long = ImageRequest(model="flux", messages=(Message("я" * 200_000),))
    with pytest.raises(TooLarge, match=r"have 400000 bytes; at most \d+ are kept") as refused:
        World().start(GenerationRequest(request=long, dialect="openai_images"))
    assert refused.value.param == "prompt"


def test_what_an_operations_item_could_not_hold_is_refused() -> None:
    prompt, world = "🐈" * (LARGEST_TEXTS // 4), World()
    with pytest.raises(InvalidRequest, match="The prompt has 32768 characters"):
        world.start(
            GenerationRequest(request=ImageRequest(model="flux", messages=(Message(prompt),)), dialect="operations")
        )
    for request, metadata in (
        (ImageRequest(model="flux", messages=(Message(prompt), Message("x"))), {}),
        (ImageRequest(model="flux", messages=(Message(prompt),), negative_prompt="x"), {}),
        (ImageRequest(model="flux", messages=(Message(prompt),)), {"x": ""}),
    ):
        with pytest.raises(TooLarge, match=str(LARGEST_TEXTS)):
            world.start(GenerationRequest(request=request, dialect="operations", metadata=metadata))
    assert not world.store.documents


def test_work_in_the_name_of_a_key_that_is_gone_names_the_way_out() -> None:
    with pytest.raises(Unauthenticated, match=r"^The API key in whose name this would be done is unknown") as refused:
        OnBehalf(keys=MemoryApiKeys(), clock=FakeClock(), key_id="unknown")()
    assert refused.value.remedy == "Name another."


HOOK = "https://hooks.example.com/"


class AnyTarget:
    """Nothing is wrong with any URL."""

    def check(self, url: str) -> None: ...


def resolve_webhook() -> ResolveWebhook:
    return ResolveWebhook(targets=AnyTarget(), webhook_key=lambda: bytes(32))


def test_without_a_key_to_sign_with_a_webhook_needs_a_secret() -> None:
    with pytest.raises(InvalidRequest, match=r"^A webhook needs a secret of its own where no API key") as refused:
        resolve_webhook()(RequestedWebhook(HOOK), Principal(EVERYBODY))
    assert refused.value.param == "webhook.secret"
    assert "openssl rand -base64 32" in str(refused.value.remedy)


@pytest.mark.parametrize(("chosen", "announced"), [((), EVENTS), (("failed",), ("failed",))])
def test_a_keys_webhook_hears_of_everything_unless_it_chose(
    chosen: tuple[str, ...], announced: tuple[str, ...]
) -> None:
    key, _ = issue("test", 0.0, webhook=KeyWebhook(url=HOOK, events=chosen))
    assert resolve_webhook()(None, Principal(key.owner, key)) == Webhook(url=HOOK, events=announced, key_id=key.id)


def test_what_cannot_be_sent_again_is_refused_with_what_can() -> None:
    world, deliveries = World(), MemoryDeliveries()
    redeliver = Redeliver(
        deliveries=deliveries, disabled=deliveries, queue_redelivery=lambda operation_id, sequence: None
    )
    bare = world.begun()
    with pytest.raises(WrongState, match=f"^Operation {bare.id} has no webhook") as refused:
        redeliver(bare)
    assert refused.value.remedy == "Ask for one when starting it."
    hooked = replace(bare, webhook=Webhook(url=HOOK, events=EVENTS))
    arrived = Delivery(
        operation_id=bare.id,
        sequence=1,
        event="queued",
        event_id=f"{bare.id}.1",
        body="{}",
        announced_at=0.0,
        expires_at=1e9,
        state=DeliveryState.DELIVERED,
        version=1,
    )
    deliveries.put(arrived)
    with pytest.raises(WrongState, match=r"^Everything has arrived so far") as refused:
        redeliver(hooked)
    assert refused.value.remedy == "Name an event_id to have it sent again."
    with pytest.raises(InvalidRequest, match=r"^There is no delivery of that event") as unknown:
        redeliver(hooked, "another.1")
    assert (unknown.value.param, unknown.value.remedy) == ("event_id", "GET …/deliveries lists them.")
    assert [delivery.event_id for delivery in redeliver(hooked, f"{bare.id}.1")] == [f"{bare.id}.1"]


def failed_after(world: World, attempts: int, private: bool = False) -> Operation:
    operation = world.begun(private=private)

    def end(current: Operation) -> Operation:
        for number in range(1, attempts + 1):
            current = current.with_attempt(
                Attempt(
                    number=number, provider="alpha", model="m", slots=(0,), state=AttemptState.FAILED, started_at=1.0
                )
            )
        return current.moved(State.FAILED, world.clock.now())

    return world.update_with_retry(operation, end, sweep_after=60)


def test_an_operation_is_not_tried_again_for_ever() -> None:
    world = World()
    assert world.retry(failed_after(world, MOST_ATTEMPTS - 1)).state is State.QUEUED
    with pytest.raises(WrongState, match=f"has been tried {MOST_ATTEMPTS} times") as refused:
        world.retry(failed_after(world, MOST_ATTEMPTS))
    assert refused.value.remedy == "Start a new one."


def test_a_private_request_is_sent_again_by_its_caller_not_by_us() -> None:
    world = World()
    with pytest.raises(WrongState, match="was not kept because of x-data-logging-enabled") as refused:
        world.retry(failed_after(world, 1, private=True))
    assert refused.value.remedy == "Send the request again."
    assert len(world.workflow.runs) == 1
