"""Which gateway and key a command uses."""

from pathlib import Path

import pytest

from imagegate.cli.client.connection import Connection, base_url, connect
from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.profiles import Profile, profiles_file, save_profile

WORK = Profile("https://work.example.com", "ig_work")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def used(found: Connection) -> tuple[str, str]:
    return found.url, found.key


def test_the_nearest_name_wins() -> None:
    environment = {"OPENAI_BASE_URL": "https://gate.example.com/v1/", "OPENAI_API_KEY": "ig_o"}
    assert used(connect(environment={})) == ("http://127.0.0.1:1337", "")
    assert used(connect(environment=environment)) == ("https://gate.example.com", "ig_o")
    save_profile("default", Profile("https://home.example.com", "ig_home"))
    save_profile("work", WORK)
    assert used(connect(environment=environment)) == ("https://home.example.com", "ig_home")
    assert used(connect(environment=environment | {"IMAGEGATE_PROFILE": "work"})) == (WORK.url, WORK.key)
    environment["IMAGEGATE_URL"] = "https://env.example.com"
    assert used(connect(environment=environment)) == ("https://env.example.com", "")
    assert used(connect(profile="work", environment=environment)) == (WORK.url, WORK.key)
    assert used(connect("localhost:8000", environment=environment)) == ("http://localhost:8000", "")
    environment["IMAGEGATE_API_KEY"] = "ig_env"
    assert used(connect(environment=environment)) == ("https://env.example.com", "ig_env")
    assert used(connect(profile="work", environment=environment)) == (WORK.url, "ig_env")


def test_a_profiles_key_goes_to_no_other_gateway() -> None:
    save_profile("work", WORK)
    assert connect("https://work.example.com/v1", environment={}).key == "ig_work"
    for other in ("http://work.example.com", "https://work.example.com:8443", "https://work.example.com.evil.example"):
        assert connect(other, environment={}).key == ""


def test_a_damaged_file_is_named() -> None:
    save_profile("default", WORK)
    for text in ("{", "[]", '{"default": 1}', '{"default": {"key": "x"}}'):
        profiles_file().write_text(text)
        with pytest.raises(CommandError, match="Delete it, then log in again"):
            connect(environment={})


def test_the_file_is_for_its_owner_only_from_the_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_profile("work", WORK)
    path.chmod(0o644)
    save_profile("home", WORK)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "text",
    [
        *("", "ftp://x", "http://", "https://u:p@x", "https://x/?a=1", "http://x/#a"),
        *("http://[", "http://x:port", "http://x:99999", "http://x:0", "http://a b", "http://x\x01", "http://x\n/"),
    ],
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is not a gateway's URL"):
        base_url(text)
