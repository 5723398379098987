"""The studio makes pictures: in three clicks, through reloads and failures, and with the key of this tab only."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from imagegate.local.stack.stack import Stack
from integration.browser.conftest import Visits
from support.studio import Visit

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.xdist_group("browser-two")]

SHOWN = "document.querySelector('.result .tile img:last-child')?.naturalWidth"
RUNNABLE = ["curl", "openai (Python)", "requests", "YandexART", "imagegate CLI", "Operations API"]


def test_a_picture_in_three_clicks_and_one_sentence(visits: Visits, key: str) -> None:
    visit = visits()
    page = visit.sign_in(key)
    assert page.get_by_label("Prompt", exact=True).input_value(), "the first visit has a prompt"
    visit.until("document.querySelector('.price')?.textContent.includes('about')")
    visit.make("a red fox in the snow")
    visit.until(f"{SHOWN} > 0")
    assert page.locator(".result .state-line").inner_text() == "Done"
    stored = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]")
    assert [key in text for text in stored] == [False, True, False]


def test_a_picture_goes_on_through_a_reload(visitor: Visit) -> None:
    page = visitor.page
    visitor.make("[delay 10s] a picture that takes a while", wait=False)
    page.wait_for_selector(".result .tile.waiting")
    page.reload()
    page.wait_for_selector(".result .tile.waiting")
    assert "op=" in page.url
    page.wait_for_selector(".result .dot.succeeded")
    visitor.until(f"{SHOWN} > 0")


def test_several_pictures_are_made_at_once(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_label("2", exact=True).check(force=True)
    visitor.make("[delay 10s] two of a kind", wait=False)
    page.wait_for_selector(".result .tile.waiting")
    assert page.locator(".result .tile").count() == 2
    visitor.make("[delay 10s] and another pair", wait=False)
    visitor.until("document.querySelectorAll('.thumbnail.waiting').length >= 2")
    visitor.until("!document.querySelector('.thumbnail.waiting')")


def test_an_operation_can_be_cancelled_and_retried(visitor: Visit) -> None:
    page = visitor.page
    visitor.make("[delay 30s] a picture that is not wanted", wait=False)
    page.locator(".result").get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".result .dot.cancelled")
    page.locator(".result").get_by_role("button", name="Retry").click()
    page.wait_for_selector(".result .tile.waiting")
    page.locator(".result").get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".result .dot.cancelled")


def test_a_failure_says_why_and_what_to_do(visitor: Visit) -> None:
    visitor.make("[fault refuse] what the provider refuses")
    visitor.page.wait_for_selector(".result .dot.failed")
    told = visitor.page.locator(".result .problem").inner_text()
    assert "Change the prompt" in told


def test_the_form_has_what_the_model_takes_and_nothing_else(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_label("Model", exact=True).select_option("gpt-image-2")
    assert page.get_by_label("Seed", exact=True).count() == 0
    assert page.get_by_label("Add a reference picture").count() == 1
    page.get_by_label("Model", exact=True).select_option("flux")
    assert page.get_by_label("Seed", exact=True).count() == 1
    assert page.get_by_label("Add a reference picture").count() == 0


def test_a_picture_is_edited_with_a_mask_that_is_painted(visitor: Visit, closed: Stack, tmp_path: Path) -> None:
    from support.fakes import picture

    page = visitor.page
    file = tmp_path / "photo.png"
    file.write_bytes(picture())
    page.get_by_label("Model", exact=True).select_option("gpt-image-2")
    page.locator("#reference-file").set_input_files(file)
    page.get_by_role("button", name="Paint a mask").click()
    box = page.locator(".mask-canvas").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 30, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    page.wait_for_selector(".reference .brush.on")
    visitor.make("a hat on it")
    page.wait_for_selector(".result .dot.succeeded")
    answer = page.evaluate("sessionStorage.getItem('imagegate.key')")
    identifier = page.url.rpartition("op=")[2]
    found = requests.get(f"{closed.base_url}/v1/operations/{identifier}", headers={"x-api-key": answer}).json()
    assert (found["request"]["input_images"], found["request"]["mask"]) == (1, True)


@pytest.mark.parametrize("kind", RUNNABLE)
def test_code_that_is_copied_runs_and_holds_no_key(visitor: Visit, key: str, kind: str, tmp_path: Path) -> None:
    page = visitor.page
    page.get_by_label("Prompt", exact=True).fill('it\'s a "quoted" $HOME `picture`\nof two lines')
    page.get_by_label("3:2").check(force=True)
    page.get_by_role("button", name="Copy as code").click()
    visitor.run_copied(kind, key, tmp_path)
    made: Any = requests.get(
        f"{visitor.base}/v1/operations", params={"page_size": 1}, headers={"x-api-key": key}
    ).json()["operations"][0]
    assert made["prompt"] == 'it\'s a "quoted" $HOME `picture`\nof two lines'
    assert made["request"]["aspect_ratio"] == "3:2"


def test_a_wrong_key_is_refused_and_a_right_one_goes_on(visits: Visits, key: str) -> None:
    visit = visits()
    page = visit.open()
    page.get_by_label("API key").fill("ig_0123456789ab_wrong")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="This key was refused").wait_for()
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Prompt", exact=True).wait_for()


def test_a_key_that_is_revoked_ends_the_visit(visits: Visits, cli: Any, until: Any) -> None:
    made = cli("create", "--name", "short", "--json")
    visit = visits()
    page = visit.sign_in(made["key"])
    cli("revoke", made["id"])
    headers = {"x-api-key": made["key"]}
    until(lambda: requests.get(f"{visit.base}/v1/models", headers=headers).status_code == 401)
    page.get_by_role("link", name="Usage").click()
    page.get_by_role("heading", name="This key was refused").wait_for()


def test_without_a_network_it_says_so_and_comes_back(visitor: Visit) -> None:
    page = visitor.page
    page.context.set_offline(True)
    page.get_by_role("link", name="Gallery").click()
    page.get_by_text("The gateway cannot be reached.").wait_for()
    page.context.set_offline(False)
    page.wait_for_selector(".gallery-tile, .empty")


def test_the_draft_outlives_a_reload(visitor: Visit) -> None:
    visitor.page.get_by_label("Prompt", exact=True).fill("a draft")
    visitor.page.reload()
    assert visitor.page.get_by_label("Prompt", exact=True).input_value() == "a draft"
    assert json.loads(visitor.page.evaluate("sessionStorage.getItem('imagegate.draft')"))["prompt"] == "a draft"
