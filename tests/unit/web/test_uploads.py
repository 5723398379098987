"""Pictures of a request stay in the bucket exactly as long as its operation."""

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imagegate.domain.access.api_key import KeyLimits
from imagegate.domain.operation.operation import State
from imagegate.domain.request.request import InputImage
from support.fuzz_server import able_routes
from support.gateway import Answered, Gateway
from support.hostile_corpus import data_url, part, png

EDITS = "/v1/images/edits"
TIMES = 10


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(access="keys", hold_seconds=0, routes=able_routes(), expands=False)


def edit(gateway: Gateway, key: str, fields: dict[str, Any] | None = None, side: int = 8, **headers: str) -> Answered:
    """An edit with two pictures and a mask, of that many pixels a side."""
    parts = [part("prompt", b"a cat"), *(part(name, str(value).encode()) for name, value in (fields or {}).items())]
    parts += [part("image", png(side, side), "a.png"), part("image", png(side, side + 1), "b.png")]
    parts += [part("mask", png(side, side, b"\x00"), "m.png")]
    body = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    return gateway.call("POST", EDITS, body, x_api_key=key, content_type="multipart/form-data; boundary=b", **headers)


def key_with(gateway: Gateway, **limits: int) -> str:
    return gateway.key(limits=KeyLimits(**limits))[1]


REFUSED: list[tuple[str, int, dict[str, Any]]] = [
    ("model_not_found", 404, {"model": "none"}),
    ("provider_not_found", 404, {"provider": "none"}),
    ("model_not_allowed", 403, {}),
    ("webhook_refused", 400, {"webhook": '{"url":"https://127.0.0.1/"}'}),
    ("webhook_refused", 400, {"webhook": '{"url":"http://example.com/"}'}),
    ("expansion_unavailable", 400, {"expand": "true"}),
    ("invalid_request", 400, {"size": "huge"}),
    ("invalid_request", 400, {"webhook": '{"url":"https://example.com/","secret":"short"}'}),
    ("rate_limit_exceeded", 429, {}),
    ("insufficient_quota", 429, {}),
]


@pytest.mark.parametrize(("code", "status", "fields"), REFUSED)
def test_what_is_refused_leaves_nothing(gateway: Gateway, code: str, status: int, fields: dict[str, Any]) -> None:
    limits = {"rate_limit_exceeded": {"concurrent": 0}, "insufficient_quota": {"pictures_per_day": 0}}
    _, key = gateway.key(
        limits=KeyLimits(**limits.get(code, {})), models=("other",) if code == "model_not_allowed" else ()
    )
    for at in range(TIMES):
        answer = edit(gateway, key, fields, side=8 + at)
        assert (answer.status, answer.json()["error"]["code"]) == (status, code), answer.text
    assert gateway.images.objects == {}


def test_a_webhook_without_a_secret_leaves_nothing_where_no_key_is_asked_for() -> None:
    gateway = Gateway(hold_seconds=0, routes=able_routes())
    assert edit(gateway, "", {"webhook": '{"url":"https://example.com/"}'}).status == 400
    assert gateway.images.objects == {}


def test_what_a_key_has_left_is_kept_and_the_rest_is_not(gateway: Gateway) -> None:
    key = key_with(gateway, concurrent=2)
    statuses = [edit(gateway, key, side=8 + at).status for at in range(TIMES)]
    assert (statuses.count(303), statuses.count(429)) == (2, TIMES - 2)
    assert set(gateway.images.objects) == named_by_operations(gateway)


def named_by_operations(gateway: Gateway) -> set[str]:
    found = [gateway.store.get(document) for document in gateway.store.documents]
    return {picture.key for entry in found if entry for picture in entry.request.pictures_sent}


def test_a_repetition_brings_its_pictures_in_vain(gateway: Gateway) -> None:
    _, key = gateway.key()
    locations = {
        edit(gateway, key, x_stainless_retry_count=str(at)).headers["location"].split("?")[0] for at in range(3)
    }
    assert len(locations) == 1, "the same pictures are the same request, under whichever names they are stored"
    assert len(gateway.images.objects) == 3
    assert set(gateway.images.objects) == named_by_operations(gateway)
    assert edit(gateway, key, side=9).headers["location"].split("?")[0] not in locations


def test_a_used_idempotency_key_leaves_nothing(gateway: Gateway) -> None:
    _, key = gateway.key()
    assert edit(gateway, key, idempotency_key="k").status == 303
    kept = set(gateway.images.objects)
    assert edit(gateway, key, side=9, idempotency_key="k").status == 422
    assert set(gateway.images.objects) == kept


def test_two_requests_share_no_object(gateway: Gateway) -> None:
    """Refusing or deleting one must not affect the other."""
    (_, mine), (_, yours) = gateway.key(), gateway.key(limits=KeyLimits(concurrent=0))
    assert edit(gateway, mine).status == 303
    kept = dict(gateway.images.objects)
    assert edit(gateway, yours).status == 429
    assert gateway.images.objects == kept


def test_when_it_is_not_known_whether_it_was_written_the_pictures_stay(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = gateway.key()
    create = gateway.store.create

    def written_and_lost(*given: Any) -> None:
        create(*given)
        raise TimeoutError("no answer")

    monkeypatch.setattr(gateway.store, "create", written_and_lost)
    assert edit(gateway, key).status == 500
    assert set(gateway.images.objects) == named_by_operations(gateway) != set()


def test_an_operation_takes_its_pictures_with_it(gateway: Gateway) -> None:
    _, key = gateway.key()
    body = {"prompt": "a", "images": [{"image_url": data_url(png(8, 8))}]}
    made = gateway.call("POST", EDITS, body, x_api_key=key)
    assert len(gateway.images.objects) == 1
    operation = gateway.store.get(made.headers["location"].split("/")[3])
    assert operation
    gateway.store.replace(replace(operation.moved(State.CANCELLED, 1.0), version=operation.version + 1))
    assert gateway.call("DELETE", f"/v1/operations/{operation.id}", x_api_key=key).status == 204
    assert gateway.images.objects == {}


def test_a_picture_is_known_by_the_end_of_its_key() -> None:
    assert InputImage("inputs/0a/d1.png", "image/png").name == InputImage("inputs/d1.png", "image/png").name == "d1.png"


def photograph(orientation: int = 1) -> bytes:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x013B] = orientation, "A. Person"
    exif.get_ifd(0x8825)[29] = "2026:11:29"
    Image.linear_gradient("L").resize((64, 48)).save(out, "JPEG", exif=exif, comment=b"SECRET")
    return out.getvalue()


def sent(gateway: Gateway, body: bytes) -> Answered:
    parts = [part("prompt", b"a cat"), part("image", body, "a.jpg")]
    form = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    key = gateway.key()[1]
    return gateway.call("POST", EDITS, form, x_api_key=key, content_type="multipart/form-data; boundary=b")


@pytest.mark.parametrize("orientation", [1, 8])
def test_private_data_of_a_photograph_is_not_even_stored(gateway: Gateway, orientation: int) -> None:
    assert sent(gateway, photograph(orientation)).status == 303
    [stored] = gateway.images.objects.values()
    with Image.open(io.BytesIO(stored)) as image:
        assert dict(image.getexif()) == ({0x0112: 8} if orientation == 8 else {})
    assert b"SECRET" in photograph()
    assert b"SECRET" not in stored


def test_a_damaged_picture_is_refused_before_anything_is_stored(gateway: Gateway) -> None:
    answer = sent(gateway, photograph()[:300])
    assert (answer.status, answer.json()["error"]["message"]) == (400, "'image' is damaged.")
    assert gateway.images.objects == {}
