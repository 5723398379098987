"""A picture's preview: made when it is stored, shown beside it, and deleted with it."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.access.api_key import EVERYBODY
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.usecases.start import GenerationRequest
from support.fakes import picture
from support.gateway import Gateway
from support.world import World


@pytest.fixture
def world() -> World:
    return World()


def drawn(width: int, height: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


def made(world: World, body: bytes) -> Operation:
    world.alpha.checks = [Ready(bodies=(body,))]
    generation = GenerationRequest(
        request=ImageRequest(model="flux", messages=(Message("a cat"),)), dialect="operations"
    )
    return world.drive(world.start(generation, EVERYBODY))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "expected"), [((1600, 900), (512, 288)), ((300, 1200), (128, 512)), ((96, 64), (96, 64))]
)
def test_it_is_a_small_webp_of_the_same_shape(kind: str, size: tuple[int, int], expected: tuple[int, int]) -> None:
    preview = PillowPictures().preview(drawn(*size, kind))
    assert preview
    with Image.open(io.BytesIO(preview)) as image:
        assert (image.format, image.size) == ("WEBP", expected)


def test_it_is_upright() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.linear_gradient("L").resize((800, 400)).convert("RGB").save(out, "JPEG", exif=exif)
    with Image.open(io.BytesIO(PillowPictures().preview(out.getvalue()) or b"")) as image:
        assert image.size == (256, 512)


@pytest.mark.parametrize("body", [b"", b"no picture", drawn(64, 48)[:80]])
def test_there_is_none_where_none_can_be_made(body: bytes) -> None:
    assert PillowPictures().preview(body) is None


def test_a_picture_without_a_preview_is_stored_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PillowPictures, "preview", lambda self, body: None)
    [kept] = made(world, picture()).pictures
    assert (kept.preview, kept.keys) == (None, (kept.key,))
    assert list(world.images.objects) == [kept.key]


def shown(world: World) -> tuple[Gateway, Operation]:
    """A gateway with the world's operation and pictures."""
    operation = made(world, drawn(1600, 900))
    gateway = Gateway(store=world.store, images=world.images, clock=world.clock)
    return gateway, operation


def test_lists_and_the_pictures_address_lead_to_it(world: World) -> None:
    gateway, operation = shown(world)
    [listed] = gateway.call("GET", "/v1/operations").json()["operations"]
    [entry] = listed["images"]
    assert entry["preview_url"] == f"{entry['url']}?preview"
    preview, whole = (gateway.call("GET", entry[name]).headers["location"] for name in ("preview_url", "url"))
    [kept] = operation.pictures
    assert (preview, whole) == tuple(world.images.presign(key) for key in (kept.preview or "", kept.key))


def test_without_a_preview_the_address_leads_to_the_picture(world: World) -> None:
    gateway, operation = shown(world)
    [kept] = operation.pictures
    found = gateway.store.get(operation.id)
    assert found
    gateway.store.replace(replace(found, pictures=(replace(kept, preview=None),), version=found.version + 1))
    [entry] = gateway.call("GET", f"/v1/operations/{operation.id}").json()["images"]
    assert entry["preview_url"] is None
    assert gateway.call("GET", f"{entry['url']}?preview").headers["location"] == world.images.presign(kept.key)


def test_it_is_deleted_with_the_picture(world: World) -> None:
    gateway, operation = shown(world)
    assert len(world.images.objects) == 2
    assert gateway.call("DELETE", f"/v1/operations/{operation.id}").status == 204
    assert world.images.objects == {}


def test_a_page_gets_the_bytes_as_a_file(world: World) -> None:
    gateway, operation = shown(world)
    answer = gateway.call("GET", f"/v1/images/{operation.id}-0?download")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["content-disposition"] == f'attachment; filename="{operation.id}-0.png"'


def test_a_picture_too_large_for_an_answer_is_a_redirect(world: World) -> None:
    gateway, operation = shown(world)
    found = gateway.store.get(operation.id)
    assert found
    [kept] = found.pictures
    gateway.store.replace(replace(found, pictures=(replace(kept, bytes=4_000_001),), version=found.version + 1))
    assert gateway.call("GET", f"/v1/images/{operation.id}-0?download").status == 302
