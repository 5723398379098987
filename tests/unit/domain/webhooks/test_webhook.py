"""Signatures and bodies as receivers check them: with the package `standardwebhooks`."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as Oracle
from standardwebhooks import WebhookVerificationError

from imagegate.domain.errors import InvalidRequest
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.events import DETAIL_TYPES, Event
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import represent
from imagegate.domain.operation.webhook_body import LARGEST, build_body
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.webhooks.webhook import EVENTS, Webhook, parse_secret, secret_text, signed_headers

NEW, OLD = bytes(range(32)), bytes(range(64))


def test_a_receiver_takes_what_we_sign() -> None:
    body = '{"type":"image_generation.succeeded","data":"лиса"}'
    headers = dict(signed_headers([NEW], "op-3", time.time(), body.encode()))
    assert Oracle(secret_text(NEW)).verify(body, headers) == json.loads(body)
    assert headers["webhook-id"] == "op-3"
    for changed in ({"webhook-id": "op-4"}, {"webhook-timestamp": str(int(time.time()) - 1)}):
        with pytest.raises(WebhookVerificationError):
            Oracle(secret_text(NEW)).verify(body, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Oracle(secret_text(NEW)).verify(body + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Oracle(secret_text(OLD)).verify(body, headers)


def test_while_a_secret_is_rotated_both_fit() -> None:
    headers = dict(signed_headers([NEW, OLD], "op-3", time.time(), b"{}"))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (NEW, OLD):
        Oracle(secret_text(secret)).verify("{}", headers)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_secrets_of_the_right_length(length: int) -> None:
    secret = bytes(range(length))
    assert parse_secret(secret_text(secret)) == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        secret_text(b"x" * 23),
        secret_text(b"x" * 65),
        secret_text(b"x" * 32).removeprefix("whsec_"),
        secret_text(b"x" * 32)[:-1],
        "whsec_" + "!" * 44,
        "whsec_" + "ж" * 44,
        "whsk_" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_other_secrets_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_secret(text)
    assert refused.value.param == "webhook.secret"
    assert not text or text not in str(refused.value) or text == "whsec_"


def test_every_announcement_can_be_chosen() -> None:
    assert set(EVENTS) == {name.rpartition(" ")[2].lower() for name in DETAIL_TYPES.values()}


def test_of_its_url_only_the_host_is_told_on_the_bus() -> None:
    hook = Webhook(url="https://hooks.example.com:8443/T000/secret?token=t", events=EVENTS, key_id="key")
    reported = Event(operation(webhook=hook)).detail()
    assert reported["operation"]["webhook"] == {"host": "hooks.example.com:8443", "events": list(EVENTS)}
    assert "T000" not in json.dumps(reported)


def operation(**changes: Any) -> Operation:
    known = {"prompt": "a cat", "metadata": {}, "attempts": (), "pictures": (), "failure": None, **changes}
    request = ImageRequest(model="flux", messages=(Message(known.pop("prompt")),), n=10)
    return Operation(
        id="0" * 20,
        owner="me",
        dialect="operations",
        request=request,
        created_at=1e9,
        deadline=2e9,
        due_at=1e9,
        model="flux",
        updated_at=1e9,
        **known,
    )


def body(of: Operation) -> str:
    return build_body("failed", Event(of).detail())


texts = st.text(st.characters(codec="utf-8"), max_size=40)
failures = st.builds(lambda text, times: Failure(FailureCode.BAD_PAYLOAD, text * times), texts, st.integers(0, 200))
attempts = st.builds(
    lambda number, failure: Attempt(
        number=number,
        provider="p" * 40,
        model="m" * 100,
        slots=tuple(range(10)),
        state=AttemptState.FAILED,
        started_at=1e9,
        ended_at=1e9,
        failure=failure,
    ),
    st.integers(1, 99),
    failures,
)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.builds(lambda text, times: text * times, texts, st.integers(0, 800)),
    st.dictionaries(texts.map(lambda text: text[:64]), st.builds(lambda text: text * 12, texts), max_size=16),
    st.lists(attempts, max_size=40),
    st.none() | failures,
)
def test_bodies_stay_small_whatever_the_operation(
    prompt: str, metadata: dict[str, str], tries: list[Attempt], failure: Failure | None
) -> None:
    pictures = tuple(
        Picture(
            slot=at,
            key="k" * 60,
            sha256="s" * 64,
            content_type="image/webp",
            width=1,
            height=1,
            bytes=1,
            provider="p" * 40,
            seed=2**62,
        )
        for at in range(10)
    )
    made = operation(prompt=prompt, metadata=metadata, attempts=tuple(tries), failure=failure, pictures=pictures)
    text = body(made)
    assert len(text.encode()) < LARGEST
    document = json.loads(text)
    reported = document["data"]["operation"]
    assert (document["type"], reported["id"], len(reported["images"])) == ("image_generation.failed", made.id, 10)
    for name in ("images", "state", "created_at", "n", "version"):
        assert reported[name] == json.loads(json.dumps(Event(made).detail()["operation"][name])), name
    assert document["data"]["abridged"] or reported == json.loads(json.dumps(represent(made)))


def test_the_largest_there_can_be() -> None:
    """Characters that JSON writes with six bytes, everywhere and as many as are accepted."""
    failure = Failure(FailureCode.INTERNAL, "\x01" * 5000)
    lost = Attempt(
        number=1,
        provider="p",
        model="m",
        slots=tuple(range(10)),
        state=AttemptState.FAILED,
        started_at=1e9,
        failure=failure,
    )
    notes = {"\x01" * 60 + f"{at:04}": "\x01" * 512 for at in range(16)}
    made = operation(prompt="\x01" * 32_000, metadata=notes, attempts=(lost,) * 40, failure=failure, state=State.FAILED)
    text = body(made)
    assert len(text.encode()) < LARGEST
    assert json.loads(text)["data"]["abridged"]


def test_fields_that_are_not_there_yet_are_kept_small_too() -> None:
    detail = Event(operation()).detail()
    detail["operation"] |= {"revised_prompt": "\x01" * 32_000, "notes": [{"text": "\x01" * 9000}]}
    assert len(build_body("queued", detail).encode()) < LARGEST


def test_metadata_stays_as_long_as_it_fits() -> None:
    reported = json.loads(body(operation(prompt="ж" * 32_000, metadata={"order": "x" * 512})))["data"]["operation"]
    assert reported["metadata"] == {"order": "x" * 512}
    assert "ж" * 500 in reported["prompt"]


def test_what_fits_is_told_whole() -> None:
    document = json.loads(body(operation(metadata={"order": "4711"})))
    assert document["data"]["operation"]["metadata"] == {"order": "4711"}
    assert not document["data"]["abridged"]
    assert document["timestamp"] == document["data"]["operation"]["updated_at"]


def test_a_secret_that_would_be_read_as_another_is_refused_with_a_way_to_make_one() -> None:
    """Lenient decoders pass over what is not of their alphabet, and would sign with what is left."""
    url_safe = "whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 32).decode()
    for text in (url_safe, secret_text(NEW) + "\n", secret_text(NEW).replace("A", "A ", 1)):
        with pytest.raises(InvalidRequest, match=r"^A webhook's secret is 'whsec_' and the base64 of 24") as refused:
            parse_secret(text)
        assert "openssl rand -base64 32" in str(refused.value.remedy)
