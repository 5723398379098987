"""The smaller actions of the studio: settings, dropped and pasted pictures, failover, retry, keys and empty states."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from imagegate.local.stack.stack import Stack
from integration.browser.conftest import Visits
from integration.browser.test_studio_views import ended
from support.fakes import picture
from support.studio import Visit

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.xdist_group("browser")]

HAND_OVER = """([kind, name, content]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.querySelector("#prompt").dispatchEvent(event);
}"""


def request_in_form(visit: Visit) -> dict[str, Any]:
    """The request that the form would send, from the code it offers."""
    page = visit.page
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("tab", name="Operations API", exact=True).click()
    code = page.locator("dialog code").inner_text()
    page.get_by_role("button", name="Close", exact=True).click()
    body: dict[str, Any] = json.loads(code[code.index("{") : code.rindex("}") + 1])
    return body


def test_the_prompt_is_counted_against_its_limit(visitor: Visit) -> None:
    page = visitor.page
    prompt, counter = page.get_by_label("Prompt", exact=True), page.locator(".counter")
    prompt.fill("a cat")
    most = int(counter.inner_text().removeprefix("5 / ").replace(",", ""))
    prompt.fill("x" * (most + 1))
    page.wait_for_selector(".counter.bad")
    prompt.fill("x" * most)
    page.wait_for_selector(".counter:not(.bad)")


def test_every_setting_is_in_the_request(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_text("Advanced").click()
    page.get_by_role("button", name="Keep one seed").click()
    seed = int(page.get_by_label("Seed", exact=True).input_value())
    page.get_by_label("Width").fill("768")
    page.get_by_label("Height").fill("512")
    page.get_by_label("Steps").fill("3")
    page.get_by_label("Format").select_option("png")
    page.get_by_label("Expand the prompt").check()
    page.get_by_label("2", exact=True).check(force=True)
    body = request_in_form(visitor)
    assert (body["seed"], body["size"], body["steps"]) == (seed, {"width": 768, "height": 512}, 3)
    assert (body["output_format"], body["expand"], body["n"]) == ("png", True, 2)
    page.get_by_role("button", name="A new seed each time").click()
    page.get_by_label("16:9").check(force=True)
    body = request_in_form(visitor)
    assert "seed" not in body
    assert (body["aspect_ratio"], "size" in body) == ("16:9", False)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_and_removed(visitor: Visit, kind: str) -> None:
    page = visitor.page
    page.get_by_label("Model", exact=True).select_option("gpt-image-2")
    page.evaluate(HAND_OVER, [kind, "dropped.png", base64.b64encode(picture()).decode()])
    page.get_by_role("img", name="dropped.png").wait_for()
    page.get_by_role("button", name="Remove dropped.png").click()
    page.get_by_role("img", name="dropped.png").wait_for(state="detached")
    page.evaluate(HAND_OVER, [kind, "broken.png", base64.b64encode(b"words").decode()])
    page.get_by_text("broken.png cannot be read as a picture.").wait_for()


def test_a_failover_is_shown_with_its_reason(visitor: Visit, closed: Stack, key: str) -> None:
    page = visitor.page
    visitor.make("[fault http-503 x1] a picture that moves on", wait=False)
    page.wait_for_selector(".result .note")
    page.wait_for_selector(".result .dot.succeeded, .result .dot.failed")
    page.locator(".result").get_by_role("link", name="Details").click()
    page.wait_for_selector(".timeline .dot.bad")
    assert "Failed at" in page.locator(".timeline").inner_text()


def test_an_operation_is_retried_and_copied_from_its_page(
    visitor: Visit, closed: Stack, key: str, until: Callable[..., Any]
) -> None:
    failed = ended(closed, key, prompt="[fault refuse] what is refused")
    page = visitor.open(f"#/operation/{failed['id']}")
    page.get_by_role("button", name=failed["id"]).click()
    assert page.evaluate("navigator.clipboard.readText()") == failed["id"]
    page.get_by_role("button", name="Retry").click()
    url, headers = f"{closed.base_url}/v1/operations/{failed['id']}", {"x-api-key": key}
    until(lambda: requests.get(url, headers=headers).json()["version"] > failed["version"])
    visitor.until("document.querySelector('.operation .state-line .dot.failed')")
    page.get_by_role("button", name="Same again").click()
    assert page.get_by_label("Prompt", exact=True).input_value() == "[fault refuse] what is refused"


def test_a_picture_is_varied(visitor: Visit, closed: Stack, key: str) -> None:
    ended(closed, key, prompt="one to vary", seed=11)
    page = visitor.open("#/gallery")
    page.locator(".gallery-tile").first.click()
    page.get_by_role("dialog").get_by_text("one to vary").wait_for()
    page.get_by_role("button", name="Vary", exact=True).click()
    assert page.get_by_label("Prompt", exact=True).input_value() == "one to vary"
    assert page.get_by_label("Seed", exact=True).input_value() == ""


def test_a_key_is_forgotten(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_role("button", name="Forget key").click()
    page.get_by_role("heading", name="This gateway asks for an API key").wait_for()
    assert page.evaluate("sessionStorage.getItem('imagegate.key')") is None


def test_a_new_key_finds_out_what_to_do(visits: Visits, cli: Callable[..., Any]) -> None:
    visit = visits()
    page = visit.sign_in(cli("create", "--name", "new", "--json")["key"], "#/gallery")
    page.get_by_role("heading", name="No pictures yet").wait_for()
    assert "imagegate generate" in page.locator(".empty pre").inner_text()
    page.get_by_role("link", name="Usage").click()
    page.get_by_role("heading", name="Not counted").wait_for()
    assert "imagegate keys create" in page.locator(".empty pre").inner_text()
    assert visit.complaints() == []


def test_models_name_the_key_that_is_missing_and_are_chosen(visitor: Visit) -> None:
    page = visitor.open("#/models")
    page.wait_for_selector(".model")
    assert "missing: " in page.locator(".model-list").inner_text()
    page.get_by_role("region", name="gpt-image-2", exact=True).get_by_role("button", name="Use it").click()
    page.wait_for_selector("#prompt")
    assert page.get_by_label("Model", exact=True).input_value() == "gpt-image-2"


def test_usage_shows_each_day_and_what_the_key_may_do(visitor: Visit, closed: Stack, key: str) -> None:
    ended(closed, key, prompt="one to count")
    page = visitor.open("#/usage")
    page.get_by_role("heading", name="May use").wait_for()
    assert page.locator(".chart .bar:not(.none)").count() >= 1
    assert page.locator(".tokens").get_by_text("flux", exact=True).count() == 1
    assert page.locator(".limits meter").count() >= 1


def test_the_back_button_closes_what_is_open(visitor: Visit, closed: Stack, key: str) -> None:
    ended(closed, key, prompt="one to leave")
    page = visitor.page
    page.get_by_role("link", name="Gallery").click()
    page.locator(".gallery-tile").first.click()
    page.get_by_role("dialog").get_by_text("one to leave").wait_for()
    page.go_back()
    page.wait_for_selector("#prompt")
    assert page.locator("dialog").count() == 0
    assert "gallery" not in page.evaluate("location.hash")
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("dialog").wait_for()


def test_dialogs_are_for_everybody(visitor: Visit) -> None:
    page = visitor.page
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("dialog").wait_for()
    assert visitor.complaints() == []
    page.keyboard.press("Escape")
    page.get_by_label("Model", exact=True).select_option("gpt-image-2")
    page.evaluate(HAND_OVER, ["drop", "dropped.png", base64.b64encode(picture()).decode()])
    page.get_by_role("button", name="Paint a mask").click()
    page.get_by_role("dialog").wait_for()
    assert visitor.complaints() == []
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert visitor.complaints() == []
