"""Pictures that are too large for a request: the studio sends them first, shows how far it is, and says what failed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.local.stack.stack import Stack
from integration.browser.conftest import Visits
from support.large_photo import large_photo
from support.studio import Visit

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.xdist_group("browser")]

SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 4_000_000}
"""A line on which a photograph of 20 MB takes five seconds."""
STATES = "[...document.querySelectorAll('.upload progress')].map((bar) => bar.value / bar.max)"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of more than 20 MB."""
    file = tmp_path_factory.mktemp("photo") / "holiday.png"
    file.write_bytes(large_photo())
    return file


@pytest.fixture
def editor(visits: Visits, key: str, closed: Stack) -> Iterator[Visit]:
    """A visitor with a model that edits, who may send pictures to the bucket."""
    visit = visits()
    visit.sign_in(key).get_by_label("Model", exact=True).select_option("gpt-image-2")
    visit.sends_to = f"{closed.aws_endpoint}/{closed.outputs['BucketName']}"
    return visit


def add(visit: Visit, *files: Path) -> None:
    """Choose reference pictures."""
    before = visit.page.locator(".reference img").count()
    visit.page.locator("#reference-file").set_input_files(files)
    visit.until(f"document.querySelectorAll('.reference img').length === {before + len(files)}")


def slow_down(visit: Visit) -> None:
    """Give the tab a slow line."""
    protocol = visit.page.context.new_cdp_session(visit.page)
    protocol.send("Network.enable")
    protocol.send("Network.emulateNetworkConditions", SLOW)


def uploads(visit: Visit) -> int:
    """How many pictures were sent to the bucket."""
    return sum(url == visit.sends_to for _, url in visit.asked)


def make(visit: Visit, prompt: str) -> None:
    """Have a picture made, while an earlier one may be shown."""
    before = visit.page.url
    visit.make(prompt, wait=False)
    visit.until(f"location.href !== {before!r}")
    visit.page.wait_for_selector(".result .dot.succeeded")


def operation(visit: Visit, closed: Stack, key: str) -> Any:
    identifier = visit.page.url.rpartition("op=")[2]
    return requests.get(f"{closed.base_url}/v1/operations/{identifier}", headers={"x-api-key": key}).json()


def test_a_photo_of_20_megabytes_is_edited_and_sent_once(editor: Visit, photo: Path, closed: Stack, key: str) -> None:
    add(editor, photo)
    assert editor.page.locator(".price").inner_text()
    make(editor, "a hat on it")
    assert operation(editor, closed, key)["request"]["input_images"] == 1
    make(editor, "a scarf on it")
    assert operation(editor, closed, key)["prompt"] == "a scarf on it"
    assert uploads(editor) == 1


def test_it_shows_how_much_has_been_sent_and_can_be_cancelled(editor: Visit, photo: Path) -> None:
    page, before = editor.page, editor.page.url
    add(editor, photo)
    slow_down(editor)
    editor.make("a hat on it", wait=False)
    editor.until(f"{STATES}.some((share) => share > 0 && share < 1)")
    assert page.get_by_role("progressbar", name="Sending holiday.png").count() == 1
    assert "of 20.6 MB" in page.locator(".upload").inner_text()
    assert page.get_by_role("button", name="Make it").is_disabled()
    assert editor.complaints() == []
    page.locator(".upload").get_by_role("button", name="Cancel").click()
    page.locator(".upload").wait_for(state="hidden")
    assert page.get_by_role("button", name="Make it").is_enabled()
    assert page.url == before
    assert page.locator(".reference img").count() == 1


def test_leaving_the_view_ends_what_is_being_sent(editor: Visit, photo: Path) -> None:
    add(editor, photo)
    slow_down(editor)
    editor.make("a hat on it", wait=False)
    editor.until(f"{STATES}.some((share) => share > 0)")
    editor.page.get_by_role("link", name="Models").click()
    editor.page.wait_for_selector(".model")
    editor.page.get_by_role("link", name="Create").click()
    editor.page.wait_for_selector(".reference img")
    assert "#/create" in editor.page.url
    assert editor.page.get_by_role("button", name="Make it").is_enabled()


def test_a_line_that_breaks_is_told_and_the_next_try_goes_on(editor: Visit, photo: Path) -> None:
    page = editor.page
    add(editor, photo)
    page.route(editor.sends_to, lambda route: route.abort())
    editor.make("a hat on it", wait=False)
    page.get_by_text("holiday.png could not be sent.").wait_for()
    page.unroute(editor.sends_to)
    make(editor, "a hat on it")


def test_what_the_storage_refuses_is_told(editor: Visit, photo: Path) -> None:
    add(editor, photo)

    def spoil(route: Any) -> None:
        answer = route.fetch()
        form = answer.json()
        form["fields"]["key"] = "images/of-somebody-else"
        route.fulfill(response=answer, json=form)

    editor.page.route("**/v1/uploads", spoil)
    editor.make("a hat on it", wait=False)
    editor.page.get_by_text("The gateway's storage refused holiday.png with status 403.").wait_for()


def test_small_ones_stay_in_the_request(editor: Visit, photo: Path, tmp_path: Path) -> None:
    from support.fakes import picture

    small = tmp_path / "small.png"
    small.write_bytes(picture())
    add(editor, small)
    make(editor, "a hat on it")
    assert uploads(editor) == 0
    add(editor, photo)
    make(editor, "the same hat")
    assert uploads(editor) == 1


def test_more_than_the_gateway_takes_is_said_before_anything_is_sent(editor: Visit, photo: Path) -> None:
    add(editor, photo)
    editor.page.locator("#reference-file").set_input_files(photo)
    editor.page.get_by_text("the pictures of a request may have 33.6 MB together").wait_for()
    assert editor.page.locator(".reference img").count() == 1


def test_a_file_that_is_no_picture_is_told(editor: Visit, tmp_path: Path) -> None:
    file = tmp_path / "notes.png"
    file.write_bytes(b"These are notes.")
    editor.page.locator("#reference-file").set_input_files(file)
    editor.page.get_by_text("notes.png cannot be read as a picture.").wait_for()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_works_under_every_name_of_this_machine(
    visits: Visits, key: str, closed: Stack, host: str, photo: Path
) -> None:
    visit = visits()
    visit.base = visit.base.replace("127.0.0.1", host)
    visit.sign_in(key).get_by_label("Model", exact=True).select_option("gpt-image-2")
    visit.sends_to = f"{closed.aws_endpoint}/{closed.outputs['BucketName']}"
    add(visit, photo)
    make(visit, "a hat on it")


@pytest.mark.parametrize("kind", ["openai (Python)", "requests"])
def test_code_that_is_copied_sends_it_first(editor: Visit, photo: Path, key: str, kind: str, tmp_path: Path) -> None:
    add(editor, photo)
    (tmp_path / "picture-1.png").write_bytes(photo.read_bytes())
    editor.page.get_by_label("Prompt", exact=True).fill("a hat from a copy")
    editor.page.get_by_role("button", name="Copy as code").click()
    assert editor.page.get_by_role("tab", name="curl", exact=True).count() == 0
    printed = editor.run_copied(kind, key, tmp_path)
    assert not re.search("""['"]error['"]""", printed)  # with quotes, which base64 never has
    made = requests.get(f"{editor.base}/v1/operations", params={"page_size": 1}, headers={"x-api-key": key}).json()
    assert made["operations"][0]["prompt"] == "a hat from a copy"
    assert made["operations"][0]["request"]["input_images"] == 1
