"""Webhook secrets under the deployment's key."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.access.encryption import DecryptionError, decrypt, derive_secret, encrypt

KEY = bytes(range(32))


@given(st.binary(min_size=24, max_size=64), st.text(max_size=40))
def test_what_was_sealed_opens_for_its_owner_only(secret: bytes, owner: str) -> None:
    sealed = encrypt(KEY, owner, secret)
    assert decrypt(KEY, owner, sealed) == secret
    assert secret not in base64.urlsafe_b64decode(sealed)
    with pytest.raises(DecryptionError):
        decrypt(KEY, owner + "x", sealed)
    with pytest.raises(DecryptionError):
        decrypt(bytes(32), owner, sealed)


def test_no_bit_of_it_can_be_changed() -> None:
    whole = base64.urlsafe_b64decode(encrypt(KEY, "me", b"s" * 24))
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(DecryptionError):
            decrypt(KEY, "me", base64.urlsafe_b64encode(changed).decode())
    with pytest.raises(DecryptionError):
        decrypt(KEY, "me", "")


def test_one_secret_never_looks_the_same_twice() -> None:
    assert len({encrypt(KEY, "me", b"s" * 24) for _ in range(50)}) == 50


def test_every_key_and_generation_has_a_secret_of_its_own() -> None:
    made = {
        derive_secret(key, name, at) for key in (KEY, bytes(32)) for name in ("a", "b", "a\x001") for at in (1, 2, 11)
    }
    assert len(made) == 18
    assert {len(entry) for entry in made} == {32}
    assert derive_secret(KEY, "a", 1) == derive_secret(KEY, "a", 1)
