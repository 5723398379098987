"""Uploads: forms for the bucket, and requests that name what was sent with them."""

from typing import Any

import pytest

from imagegate.usecases import uploads
from support.fuzz_server import able_routes
from support.gateway import Answered, Gateway
from support.hostile_corpus import part, png

UPLOADS = "/v1/uploads"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(access="keys", hold_seconds=0, routes=able_routes(), expands=False)


@pytest.fixture
def key(gateway: Gateway) -> str:
    return gateway.key()[1]


def uploaded(gateway: Gateway, key: str, body: bytes) -> str:
    """The id of an upload with that content."""
    form = gateway.call("POST", UPLOADS, {"content_type": "image/png"}, x_api_key=key).json()
    gateway.images.objects[form["fields"]["key"]] = body
    assert form["image"] == {"upload": form["id"]}
    return str(form["id"])


def edit(gateway: Gateway, key: str, image: Any, path: str = "/v1/images/edits", **fields: Any) -> Answered:
    return gateway.call("POST", path, {"prompt": "a cat", "image": image, **fields}, x_api_key=key)


def inputs(gateway: Gateway) -> list[bytes]:
    return [body for key, body in gateway.images.objects.items() if key.startswith("inputs/")]


def test_a_form_says_where_what_and_how_long(gateway: Gateway, key: str) -> None:
    answer = gateway.call("POST", UPLOADS, {"content_type": "image/jpeg"}, x_api_key=key)
    form = answer.json()
    assert (answer.status, answer.headers["cache-control"]) == (201, "no-store")
    assert form["fields"]["Content-Type"] == "image/jpeg"
    assert form["fields"]["key"].endswith(f"/{form['id']}")
    assert form["largest_bytes"] == uploads.LARGEST_UPLOAD


@pytest.mark.parametrize(
    "body", [None, {}, {"content_type": "text/html"}, {"content_type": "image/svg+xml"}, {"type": "x"}]
)
def test_only_pictures_have_forms(gateway: Gateway, key: str, body: Any) -> None:
    answer = gateway.call("POST", UPLOADS, body, x_api_key=key)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/v1/images/edits", "/v1/images/generations"])
@pytest.mark.parametrize("as_text", [False, True])
def test_an_upload_takes_the_place_of_a_picture(gateway: Gateway, key: str, path: str, as_text: bool) -> None:
    upload_id = uploaded(gateway, key, png(8, 8))
    image = f"upload:{upload_id}" if as_text else {"upload": upload_id}
    assert edit(gateway, key, image, path).status == 303
    assert inputs(gateway) == [png(8, 8)]


def test_uploads_stand_beside_other_pictures_and_may_be_a_mask(gateway: Gateway, key: str) -> None:
    gateway.elsewhere["https://example.com/a.png"] = png(8, 9)
    first, mask = uploaded(gateway, key, png(8, 8)), uploaded(gateway, key, png(8, 8, b"\x00"))
    images = [{"upload": first}, "https://example.com/a.png"]
    assert edit(gateway, key, images, mask={"upload": mask}).status == 303
    assert inputs(gateway) == [png(8, 8), png(8, 9), png(8, 8, b"\x00")]


@pytest.mark.parametrize(("name", "before"), [("image[upload]", ""), ("image", "upload:")])
def test_forms_name_uploads_too(gateway: Gateway, key: str, name: str, before: str) -> None:
    upload_id = uploaded(gateway, key, png(8, 8))
    parts = [part("prompt", b"a cat"), part(name, f"{before}{upload_id}".encode())]
    body = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    answer = gateway.call(
        "POST", "/v1/images/edits", body, x_api_key=key, content_type="multipart/form-data; boundary=b"
    )
    assert answer.status == 303, answer.text
    assert inputs(gateway) == [png(8, 8)]


def test_a_repeated_request_finds_its_upload_and_its_operation(gateway: Gateway, key: str) -> None:
    image = {"upload": uploaded(gateway, key, png(8, 8))}
    first = edit(gateway, key, image)
    again = gateway.call("POST", "/v1/images/edits", {"prompt": "a cat", "image": image}, x_api_key=key,
                         x_stainless_retry_count="1")  # fmt: skip
    assert again.headers["location"].partition("?")[0] == first.headers["location"].partition("?")[0]


def refused(answer: Answered) -> str:
    assert answer.status == 400, answer.text
    return str(answer.json()["error"]["message"])


def test_a_mask_of_another_size_than_its_picture_is_refused(gateway: Gateway, key: str) -> None:
    image, mask = ({"upload": uploaded(gateway, key, png(8, height))} for height in (8, 9))
    assert "8x9 pixels, and the picture 8x8" in refused(edit(gateway, key, image, mask=mask))
    assert not inputs(gateway)
    assert edit(gateway, key, image, mask=image).status == 303


def test_an_upload_is_its_owners_alone(gateway: Gateway, key: str) -> None:
    upload_id = uploaded(gateway, key, png(8, 8))
    other = gateway.key()[1]
    unknown = f"{upload_id[:-1]}{'0' if upload_id[-1] != '0' else '1'}"
    message = refused(edit(gateway, other, {"upload": upload_id}))
    assert message.replace(upload_id, unknown) == refused(edit(gateway, key, {"upload": unknown}))
    assert "POST /v1/uploads" in message
    assert not inputs(gateway)


def test_an_upload_can_be_used_for_an_hour(gateway: Gateway, key: str) -> None:
    upload_id = uploaded(gateway, key, png(8, 8))
    gateway.clock.sleep(3599)
    assert edit(gateway, key, {"upload": upload_id}).status == 303
    gateway.clock.sleep(2)
    assert "no longer" in refused(edit(gateway, key, {"upload": upload_id}, seed=7))


@pytest.mark.parametrize("upload", ["", "x", "../images/a", 5, None, "0" * 21])
def test_what_is_no_id_is_refused(gateway: Gateway, key: str, upload: Any) -> None:
    refused(edit(gateway, key, {"upload": upload}))


def test_what_was_uploaded_is_a_picture(gateway: Gateway, key: str) -> None:
    assert "not a PNG" in refused(edit(gateway, key, {"upload": uploaded(gateway, key, b"<html></html>")}))
    assert "pixels" in refused(edit(gateway, key, {"upload": uploaded(gateway, key, png(60_000, 60_000))}))
    assert not inputs(gateway)


def test_the_uploads_of_a_request_are_limited_together(
    gateway: Gateway, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 2 * len(png(8, 8)) - 1)
    ids = [{"upload": uploaded(gateway, key, png(8, 8))} for _ in range(2)]
    answer = edit(gateway, key, ids)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_a_body_that_is_too_large_is_told_of_uploads(gateway: Gateway, key: str) -> None:
    answer = edit(gateway, key, "iVBORw0KGgo" + "A" * (6 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert "POST /v1/uploads" in answer.json()["error"]["message"]
