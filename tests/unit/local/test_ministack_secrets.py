"""SecureStrings in the saved state, on MiniStack's own parameter store."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.core import persistence
from ministack.services import ssm

from imagegate.local.ministack import secrets
from imagegate.local.root_credentials import RootCredentials

SECRET = "sk-a-marked-credential"


@pytest.fixture
def root(tmp_path: Path) -> RootCredentials:
    return RootCredentials.of(tmp_path / "root_key.json")


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty parameter store, and MiniStack as it was before afterwards."""
    for name in ("get_state", "load_persisted_state"):
        monkeypatch.setattr(ssm, name, getattr(ssm, name))
    ssm.reset()
    yield
    ssm.reset()


def put(name: str, value: str, kind: str) -> None:
    ssm._put_parameter({"Name": name, "Value": value, "Type": kind, "Overwrite": True})


def value(name: str) -> str:
    _, _, body = ssm._get_parameter({"Name": name, "WithDecryption": True})
    return str(json.loads(body).get("Parameter", {}).get("Value", ""))


def saved() -> str:
    return json.dumps(ssm.get_state(), default=persistence._json_default)


def loaded(text: str) -> None:
    ssm.reset()
    ssm.load_persisted_state(json.loads(text, object_hook=persistence._json_object_hook))


def test_they_are_encrypted_and_come_back(root: RootCredentials) -> None:
    secrets.mend(root)
    put("/a/secret", "sk-an-older-one", "SecureString")
    put("/a/secret", SECRET, "SecureString")
    put("/a/name", "plain", "String")
    text = saved()
    assert not [entry for entry in (SECRET, "sk-an-older-one", "c2stYS1tYXJrZWQtY3JlZGVudGlhbA") if entry in text]
    assert "plain" in text
    loaded(text)
    assert (value("/a/secret"), value("/a/name")) == (SECRET, "plain")
    assert value("/a/secret:1") == "sk-an-older-one"
    assert SECRET not in saved(), "also when it is saved again"


def test_the_state_of_an_earlier_version_is_read(root: RootCredentials) -> None:
    put("/a/secret", SECRET, "SecureString")
    text = saved()
    secrets.mend(root)
    loaded(text)
    assert value("/a/secret") == SECRET
    assert SECRET not in saved()


def test_under_another_root_key_they_are_gone_and_the_rest_stays(root: RootCredentials, tmp_path: Path) -> None:
    secrets.mend(root)
    put("/a/secret", SECRET, "SecureString")
    put("/a/name", "plain", "String")
    text = saved()
    secrets.mend(RootCredentials.of(tmp_path / "another.json"))
    loaded(text)
    assert (value("/a/secret"), value("/a/name")) == ("", "plain")
