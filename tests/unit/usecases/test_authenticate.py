"""Who makes a request: reading keys sparingly, and forgetting them in time."""

from dataclasses import replace

import pytest

from imagegate.domain.access.api_key import ApiKey, issue
from imagegate.domain.errors import Unauthenticated
from imagegate.usecases import authenticate
from imagegate.usecases.authenticate import Authenticate, everybody
from support.fakes import FakeClock, MemoryApiKeys


class World:
    def __init__(self) -> None:
        self.clock, self.keys = FakeClock(), MemoryApiKeys()
        self.authenticate = Authenticate(keys=self.keys, clock=self.clock, trust_seconds=60)

    def issued(self) -> tuple[ApiKey, str]:
        key, text = issue("test", self.clock.now())
        self.keys.put(key)
        return key, text

    def refuses(self, presented: str | None) -> str:
        with pytest.raises(Unauthenticated) as refused:
            self.authenticate(presented)
        return refused.value.message


@pytest.fixture
def world() -> World:
    return World()


def test_a_key_is_read_once_a_minute(world: World) -> None:
    key, text = world.issued()
    for _ in range(100):
        assert world.authenticate(text).owner == key.owner
        world.clock.sleep(0.59)
    assert world.keys.reads == 1
    world.clock.sleep(1.5)
    world.authenticate(text)
    assert world.keys.reads == 2


def test_a_revocation_takes_effect_within_a_minute(world: World) -> None:
    key, text = world.issued()
    world.authenticate(text)
    world.keys.put(key.revoked(world.clock.now()))
    assert world.authenticate(text)
    world.clock.sleep(60)
    assert "revoked" in world.refuses(text)


def test_a_deleted_key_is_forgotten_too(world: World) -> None:
    key, text = world.issued()
    world.authenticate(text)
    del world.keys.keys[key.id]
    world.clock.sleep(60)
    assert "Unknown" in world.refuses(text)
    assert "Unknown" in world.refuses(text)
    assert world.keys.reads == 2


def test_expiry_and_grace_do_not_wait_for_the_cache(world: World) -> None:
    key, text = world.issued()
    rotated, new = key.rotated(world.clock.now(), 5)
    world.keys.put(replace(rotated, expires_at=world.clock.now() + 10))
    assert world.authenticate(text).owner == world.authenticate(new).owner == key.owner
    world.clock.sleep(5)
    assert "Unknown" in world.refuses(text)
    assert world.authenticate(new)
    world.clock.sleep(5)
    assert "expired" in world.refuses(new)
    assert world.keys.reads == 1


def test_unknown_keys_are_remembered_as_well(world: World) -> None:
    _, never = issue("test", 0)
    for _ in range(10):
        world.refuses(never)
    assert world.keys.reads == 1
    world.clock.sleep(60)
    world.refuses(never)
    assert world.keys.reads == 2


def test_a_wrong_secret_costs_no_further_reading(world: World) -> None:
    key, text = world.issued()
    for at in range(10):
        world.refuses(f"ig_{key.id}_{str(at) * 40}")
    assert world.authenticate(text)
    assert world.keys.reads == 1


@pytest.mark.parametrize("presented", [None, "", "x", "ig_", "Bearer", "ig_0123456789ab_short", "\ud800" * 9])
def test_what_is_no_key_is_never_looked_up(world: World, presented: str | None) -> None:
    message = world.refuses(presented)
    assert message in ("No API key was given.", "Unknown API key.")
    assert world.keys.reads == 0


def test_a_flood_of_invented_keys_neither_grows_nor_pushes_out_the_real_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticate, "_CAPACITY", 10)
    _, text = world.issued()
    world.authenticate(text)
    for _ in range(50):
        world.refuses(issue("invented", 0)[1])
    world.authenticate(text)
    assert world.keys.reads == 51
    assert len(world.authenticate._unknown._entries) == 10


def test_a_clock_set_back_does_not_prolong_trust(world: World) -> None:
    key, text = world.issued()
    world.authenticate(text)
    world.keys.put(key.revoked(world.clock.now()))
    world.clock.sleep(-3600)
    assert "revoked" in world.refuses(text)


def test_where_no_key_is_asked_for_none_is_looked_at() -> None:
    assert {everybody(presented).owner for presented in (None, "x", "ig_0123456789ab_" + "a" * 40)} == {"everybody"}
