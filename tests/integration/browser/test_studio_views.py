"""The studio's other views: gallery, operation, models and usage, for everybody and for ten thousand operations."""

import json
from typing import Any

import pytest
import requests

from imagegate.domain.webhooks.webhook import secret_text
from imagegate.local.stack.stack import Stack
from integration.browser.conftest import Visits
from support.long_gallery import MANY, PAGE, serve_many
from support.receiver import Receiver, receiving
from support.studio import PHONE, WIDE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.xdist_group("browser-two")]

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
VIEWS = ["#/create", "#/gallery", "#/models", "#/usage"]
MOST_TILES = 300
LARGEST_PAGE = 150_000
"""Bytes of the page before pictures, compressed."""


def ended(closed: Stack, key: str, **body: Any) -> Any:
    """An operation that has ended."""
    headers, url = {"x-api-key": key}, f"{closed.base_url}/v1/operations"
    made = requests.post(url, json={"model": "flux", **body}, headers=headers).json()
    while not made["done"]:
        made = requests.get(f"{url}/{made['id']}/wait", headers=headers).json()
    return made


@pytest.fixture(scope="module")
def hostile(closed: Stack, key: str) -> Any:
    """An operation whose texts would be code in a careless page."""
    return ended(closed, key, prompt=HOSTILE, aspect_ratio="3:2", metadata={HOSTILE[:60]: HOSTILE})


def test_stored_code_shows_as_text(visitor: Visit, hostile: Any) -> None:
    page = visitor.open(f"#/operation/{hostile['id']}")
    page.wait_for_selector(".timeline")
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE
    assert json.dumps(HOSTILE) in page.locator(".tab-body code").inner_text()
    visitor.open("#/gallery").locator(".gallery-tile").first.wait_for()
    assert page.locator(f"[title='{HOSTILE}']").count() == 1
    assert page.evaluate("document.scripts.length") == 1


def test_the_gallery_is_filtered_and_its_address_says_how(visitor: Visit, closed: Stack, key: str) -> None:
    made = ended(closed, key, prompt="a lonely heron", metadata={"order": "7"})
    page = visitor.open("#/gallery")
    page.locator(".gallery-tile").first.wait_for()
    for text in ("heron", '"lonely heron" model:flux', "meta:order=7", "state:succeeded heron after:2020-01-01"):
        page.get_by_label("Filter").fill(text)
        with page.expect_response("**/v1/operations?*"):
            page.get_by_label("Filter").press("Enter")
        visitor.until("document.querySelectorAll('.gallery-tile').length === 1")
        assert page.locator(".gallery-tile").get_attribute("title") == "a lonely heron"
    page.get_by_label("Filter").fill("before:2020-01-01")
    page.get_by_label("Filter").press("Enter")
    page.get_by_text("Nothing matches").wait_for()
    page.goto(f"{closed.base_url}/#/gallery?q=heron&picture={made['id']}-0")
    page.reload()
    page.get_by_role("dialog").get_by_text("a lonely heron").wait_for()


def test_a_picture_leads_on(visitor: Visit, hostile: Any, closed: Stack, key: str) -> None:
    ended(closed, key, prompt="a tile before it", seed=4)
    page = visitor.open("#/gallery")
    page.locator(".gallery-tile").first.click()
    page.get_by_role("dialog").get_by_text("a tile before it").wait_for()
    page.keyboard.press("j")
    page.get_by_role("dialog").get_by_text("a tile before it").wait_for(state="detached")
    page.keyboard.press("k")
    page.get_by_role("dialog").get_by_text("a tile before it").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith("-0.webp")
    page.get_by_role("button", name="Same again").click()
    assert page.get_by_label("Prompt", exact=True).input_value() == "a tile before it"
    assert page.get_by_label("Seed", exact=True).input_value() == "4"
    visitor.open("#/gallery").locator(".gallery-tile").first.click()
    page.get_by_role("button", name="Use as input").click()
    page.wait_for_selector(".reference img")
    page.get_by_role("link", name="Gallery").click()
    page.locator(".gallery-tile").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at") == "1"


def test_deliveries_are_shown_and_sent_again(visitor: Visit, closed: Stack, key: str, until: Any) -> None:
    secret = secret_text(bytes(range(32)))
    with receiving(Receiver(secret)) as receiver:
        hook = {"url": receiver.url, "secret": secret, "events": ["succeeded"]}
        made = ended(closed, key, prompt="announced", webhook=hook)
        page = visitor.open(f"#/operation/{made['id']}?tab=deliveries")
        page.get_by_role("tab", name="Deliveries", selected=True).wait_for()
        until(lambda: receiver.received)
        page.reload()
        page.wait_for_selector(".delivery .dot.good")
        page.get_by_role("button", name="Redeliver", exact=True).click()
        until(lambda: len(receiver.received) >= 2)
    assert "image_generation.succeeded" in receiver.types()


def test_an_operation_is_deleted_for_good_after_a_second_click(visitor: Visit, closed: Stack, key: str) -> None:
    made = ended(closed, key, prompt="a mistake")
    page = visitor.open(f"#/operation/{made['id']}")
    page.get_by_role("tab", name="Answer").click()
    page.get_by_text('"state": "succeeded"').wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    page.wait_for_selector(".gallery")
    url = f"{closed.base_url}/v1/operations/{made['id']}"
    assert requests.get(url, headers={"x-api-key": key}).status_code == 404


def test_models_and_usage_say_what_is_there(visitor: Visit) -> None:
    page = visitor.open("#/models")
    flux = page.get_by_role("region", name="flux", exact=True)
    flux.wait_for()
    assert "black-forest-labs" in flux.inner_text()
    page.get_by_role("link", name="Usage").click()
    page.get_by_role("heading", name="Pictures a day").first.wait_for()
    assert "left of 5,000" in page.locator(".limits").inner_text()


def test_a_view_begins_at_its_top(visits: Visits, key: str) -> None:
    page = visits(viewport=PHONE).sign_in(key, "#/models")
    page.wait_for_selector(".model")
    page.evaluate("scrollTo(0, 2000)")
    page.get_by_role("link", name="Usage").click()
    page.wait_for_selector(".limits")
    assert page.evaluate("scrollY") == 0


def test_ten_thousand_operations_are_a_few_elements(visits: Visits, key: str, hostile: Any) -> None:
    visit = visits()
    page = visit.sign_in(key)
    serve_many(page, hostile)
    visit.open("#/gallery")
    most = 0
    for _ in range(2 * MANY // PAGE):
        most = max(most, page.locator(".gallery-tile").count())
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
        if "10,000" in page.locator(".gallery-status").inner_text():
            break
    visit.until("document.querySelector('.gallery-status').textContent.includes('10,000 pictures')")
    page.evaluate("scrollTo(0, 0)")
    visit.until("document.querySelector('.gallery-tile').dataset.at === '0'")
    assert 0 < most < MOST_TILES


def test_the_page_is_small(visits: Visits) -> None:
    visit, sizes = visits(), list[int]()
    visit.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    visit.open().wait_for_selector("#key")
    visit.page.wait_for_load_state("networkidle")
    assert 10_000 < sum(sizes) < LARGEST_PAGE


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_every_view_is_for_everybody(
    visits: Visits, key: str, hostile: Any, viewport: Any, scheme: str, locale: str
) -> None:
    visit = visits(viewport=viewport, color_scheme=scheme, locale=locale, reduced_motion="reduce")
    page = visit.open()
    page.wait_for_selector("#key")
    found = {"key": visit.complaints()}
    page.fill("#key", key)
    page.press("#key", "Enter")
    for view in [*VIEWS, f"#/operation/{hostile['id']}", f"#/gallery?picture={hostile['id']}-0"]:
        page.goto(f"{visit.base}/{view}")
        page.wait_for_selector(".price, .gallery-tile, .model, .limits, .timeline, .viewer-side dl")
        visit.until("!document.querySelector('img.fading')")
        found[view] = visit.complaints() + ["wider than the window"] * (visit.widest() > 0)
    assert {view: complaints for view, complaints in found.items() if complaints} == {}
    assert page.evaluate("document.documentElement.lang") == locale[:2]


def test_theme_and_language_are_changed_and_kept(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_role("button", name="Light or dark").click()
    page.get_by_role("button", name="Русский").click()
    page.get_by_role("link", name="Галерея").wait_for()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_keyboard_goes_everywhere(visitor: Visit) -> None:
    page = visitor.page
    page.locator("main").focus()
    for letter, view in (("m", "models"), ("u", "usage"), ("g", "gallery"), ("c", "create")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_selector(f"nav a[aria-current][data-view={view}]")
        page.locator("main").focus()
    page.wait_for_selector("#prompt")
    page.keyboard.press("/")
    page.wait_for_selector("#prompt:focus")
    page.keyboard.type(" at noon")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".result")
