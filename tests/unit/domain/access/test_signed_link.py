"""Tokens that open one path until they expire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.access.signed_link import sign, verify

SECRET = b"s" * 32
NOW = 1_800_000_000.0
PATH = "/v1/images/06gzj55vfn0ajhf9kn2m-0"
TOKEN = sign(SECRET, PATH, "owner", NOW + 60)


def test_a_token_opens_its_path_until_it_expires() -> None:
    assert verify(SECRET, PATH, TOKEN, NOW) == "owner"
    assert verify(SECRET, PATH, TOKEN, NOW + 59.9) == "owner"
    assert verify(SECRET, PATH, TOKEN, NOW + 60) is None


def test_it_opens_nothing_else() -> None:
    assert verify(SECRET, PATH[:-1] + "1", TOKEN, NOW) is None
    assert verify(SECRET, "/v1/operations", TOKEN, NOW) is None
    assert verify(b"t" * 32, PATH, TOKEN, NOW) is None


@pytest.mark.parametrize("at", range(len(TOKEN)))
def test_every_character_of_it_counts(at: int) -> None:
    for other in "0aA-.":
        tampered = TOKEN[:at] + other + TOKEN[at + 1 :]
        if tampered != TOKEN:
            assert verify(SECRET, PATH, tampered, NOW) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        TOKEN + "0",
        TOKEN[:-1],
        "0" + TOKEN,
        TOKEN + "\n",
        f"{TOKEN}.{TOKEN}",
        TOKEN.replace("owner", "other"),
        TOKEN.replace("owner", "own\ner"),
        "9" * 5000 + TOKEN,
        "\N{ARABIC-INDIC DIGIT ONE}" + TOKEN[1:],
    ],
)
def test_a_token_of_another_shape_opens_nothing(token: str) -> None:
    assert verify(SECRET, PATH, token, NOW) is None


@given(st.text(), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_invented_tokens_open_nothing(token: str, path: str) -> None:
    assert verify(SECRET, path, token, NOW) is None


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.from_regex(r"[0-9a-z]{1,40}", fullmatch=True))
def test_what_was_signed_is_known_again(path: str, owner: str) -> None:
    assert verify(SECRET, path, sign(SECRET, path, owner, NOW + 1), NOW) == owner
