"""API keys: their text, what is kept of them, whom they let in."""

import hmac
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.access import api_key
from imagegate.domain.access.api_key import ApiKey, KeyLimits, KeyWebhook, Principal, admit, issue, parse
from imagegate.domain.errors import Forbidden, Unauthenticated, WrongState

NOW = 1_800_000_000.0


def issued(**changes: Any) -> tuple[ApiKey, str]:
    key, text = issue("test", NOW, **changes)
    return key, text.rpartition("_")[2]


def test_a_key_is_its_text_and_only_a_digest_is_kept() -> None:
    key, text = issue("test", NOW)
    assert text.startswith(f"ig_{key.id}_")
    assert parse(text) == (key.id, text.rpartition("_")[2])
    assert text.rpartition("_")[2] not in str(asdict(key))
    assert key.owner == key.id


def test_no_two_keys_are_alike() -> None:
    texts = [issue("test", NOW)[1] for _ in range(200)]
    assert len(set(texts)) == 200
    assert all(len(text.rpartition("_")[2]) * 5 >= 160 for text in texts)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "x",
        "ig_",
        "ig__",
        "sk-proj-1234",
        "t1.9euelZq",
        "ig_0123456789ab_",
        f"ig_0123456789ab_{'a' * 39}",
        f"ig_0123456789ab_{'a' * 41}",
        f"ig_0123456789a_{'a' * 40}",
        f"IG_0123456789ab_{'a' * 40}",
        f"ig_0123456789ab_{'A' * 40}",
        f"ig_0123456789ab_{'l' * 40}",
        f"ig_0123456789ab_{'a' * 40}\n",
        f" ig_0123456789ab_{'a' * 40}",
        "ig_0123456789ab_" + "\N{CYRILLIC SMALL LETTER A}" * 40,
        f"ig_٠١٢٣٤٥٦٧٨٩٠١_{'a' * 40}",
        f"ig_0123456789ab_{'a' * 40}, ig_0123456789ab_{'a' * 40}",
        "ig_" + "a" * 100_000,
        "\x00",
        "\ud800",
    ],
)
def test_what_has_not_the_shape_of_a_key_is_none(presented: str) -> None:
    assert parse(presented) is None


@given(st.text())
def test_parsing_never_breaks(presented: str) -> None:
    assert parse(presented) is None


def test_the_holder_of_the_secret_is_let_in_and_nobody_else() -> None:
    key, secret = issued()
    other, other_secret = issued()
    assert admit(key, secret, NOW) == Principal(key.owner, key)
    for wrong, against in ((other_secret, key), (secret, other), (secret, None)):
        with pytest.raises(Unauthenticated, match=r"^Unknown API key\.$"):
            admit(against, wrong, NOW)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(a: str, b: str) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)
    key, secret = issued()
    rotated, new = key.rotated(NOW, 60)
    admit(key, secret, NOW)
    admit(rotated, new.rpartition("_")[2], NOW)
    for absent in (None, key):
        with pytest.raises(Unauthenticated):
            admit(absent, "wrong", NOW)
    assert len(compared) == 8, "two comparisons whatever the case"
    assert {len(part) for pair in compared for part in pair} == {64}, "of digests only"
    assert api_key.hmac is hmac


def test_only_the_holder_learns_that_a_key_has_expired_or_was_revoked() -> None:
    key, secret = issued(expires_at=NOW + 10)
    assert admit(key, secret, NOW + 9.9).key == key
    with pytest.raises(Unauthenticated, match="expired"):
        admit(key, secret, NOW + 10)
    revoked = key.revoked(NOW)
    assert (revoked.version, revoked.revoked(NOW + 1)) == (2, revoked)
    with pytest.raises(Unauthenticated, match="revoked"):
        admit(revoked, secret, NOW)
    for dead in (revoked, key):
        with pytest.raises(Unauthenticated, match="Unknown"):
            admit(dead, "a" * 40, NOW + 10)


def test_after_a_rotation_the_old_secret_works_for_the_grace_only() -> None:
    key, old = issued()
    rotated, text = key.rotated(NOW, 3600)
    new = text.rpartition("_")[2]
    assert (rotated.id, rotated.owner, rotated.version) == (key.id, key.owner, 2)
    assert admit(rotated, new, NOW + 10_000)
    assert admit(rotated, old, NOW + 3599).owner == key.owner
    with pytest.raises(Unauthenticated):
        admit(rotated, old, NOW + 3600)
    without_grace, _ = key.rotated(NOW, 0)
    with pytest.raises(Unauthenticated):
        admit(without_grace, old, NOW)
    twice, _ = rotated.rotated(NOW, 3600)
    with pytest.raises(Unauthenticated):
        admit(twice, old, NOW)


def test_a_dead_key_is_not_rotated() -> None:
    key, _ = issued(expires_at=NOW)
    for dead in (key, replace(key, expires_at=None).revoked(NOW)):
        with pytest.raises(WrongState) as refused:
            dead.rotated(NOW, 0)
        assert key.owner in (refused.value.remedy or "")


def test_a_key_is_for_its_models() -> None:
    key, _ = issued(models=("flux",))
    Principal("o", key).require("flux")
    with pytest.raises(Forbidden) as refused:
        Principal("o", key).require("other")
    assert (refused.value.param, refused.value.code) == ("model", "model_not_allowed")
    for unlimited in (Principal("o"), Principal("o", issued()[0])):
        unlimited.require("other")


def test_a_refusal_says_whom_to_ask() -> None:
    key, secret = issued(expires_at=NOW)
    with pytest.raises(Unauthenticated, match=r"^This API key is expired\.$") as refused:
        admit(key, secret, NOW)
    assert refused.value.remedy == "Ask the operator of this gateway for a new one."


def test_a_key_that_opens_no_more_cannot_be_rotated_and_its_owner_is_told_what_to_do() -> None:
    key, _ = issued(owner="team")
    with pytest.raises(WrongState, match=f"^Key {key.id} is revoked") as refused:
        key.revoked(NOW).rotated(NOW, 60)
    assert str(refused.value.remedy).startswith("Create another one; with --owner team ")


def test_a_key_for_other_models_names_them() -> None:
    key, _ = issued(models=("flux", "sdxl"))
    with pytest.raises(Forbidden, match=r"^This API key is not for the model 'dalle'\.$") as refused:
        Principal(key.owner, key).require("dalle")
    assert (refused.value.param, refused.value.remedy) == ("model", "Use one of: flux, sdxl.")


def test_a_key_without_webhook_or_limits_has_the_usual_ones() -> None:
    key, _ = issued()
    assert (key.webhook, key.limits) == (KeyWebhook(), KeyLimits())
