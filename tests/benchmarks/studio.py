"""The studio in Chromium: `make bench NAME=studio` (after `make test-browser`, which installs what drives it).

On the embedded stack, with nothing cached: how much is loaded, and how soon the prompt can be typed. Then ten thousand
operations in the gallery: how many frames a second are drawn while it scrolls, beside an empty page that does nothing
in the same browser, and how the page's memory grows from the first thousand to the last.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.long_gallery import MANY, PAGE, serve_many
from support.stack_settings import on_free_ports
from support.studio import WIDE, Visit, browsing

LOADS = 5
_FRAMES = """async (pixels) => {
    const frame = () => new Promise(requestAnimationFrame);
    let [count, began] = [0, await frame()];
    for (let now = began; now < began + 3000; now = await frame(), count += 1) scrollBy(0, pixels);
    return count / 3;
}"""
_HEAP = "performance.memory.usedJSHeapSize / 1e6"


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as state, Stack(_settings(Path(state))) as stack, browsing() as browser:
        loads = [_load(browser, stack) for _ in range(LOADS)]
        print(f"compressed bytes before pictures: {loads[0][0]}")
        print(f"seconds until the prompt takes text, median of {LOADS}: {median(load[1] for load in loads):.2f}")
        operation = _operation(stack)
        visit = _visit(browser, stack)
        idle = visit.open().evaluate(_FRAMES, 0)
        serve_many(visit.page, operation)
        visit.open("#/gallery").wait_for_selector(".gallery-tile")
        _fill(visit, 1000)
        before, frames = visit.page.evaluate(_HEAP), visit.page.evaluate(_FRAMES, 40)
        _fill(visit, MANY)
        visit.page.evaluate("scrollTo(0, 20000)")
        after, deep = visit.page.evaluate(_HEAP), visit.page.evaluate(_FRAMES, 40)
        print(f"frames a second: {idle:.0f} without scrolling, {frames:.0f} with 1,000, {deep:.0f} with {MANY:,}")
        print(f"MB of JavaScript's heap: {before:.0f} with 1,000, {after:.0f} with {MANY:,}")


def _settings(state: Path) -> Any:
    stand_ins = StandIns(build_app(latency_seconds=0.5), STAND_IN_SECRETS)
    return replace(on_free_ports(state), stand_ins=stand_ins)


def _visit(browser: Any, stack: Stack) -> Visit:
    visit = Visit(browser.new_context(viewport=WIDE, locale="en-US").new_page(), stack.base_url, stack.aws_endpoint)
    visit.watch()
    return visit


def _load(browser: Any, stack: Stack) -> tuple[int, float]:
    """The bytes that came, and the seconds from the address until the prompt can be typed."""
    visit, sizes = _visit(browser, stack), list[int]()
    visit.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    visit.open().wait_for_selector("#prompt:enabled")
    seconds = visit.page.evaluate("performance.now() / 1000")
    visit.page.wait_for_load_state("networkidle")
    visit.page.context.close()
    return sum(sizes), seconds


def _operation(stack: Stack) -> Any:
    url, body = f"{stack.base_url}/v1/operations", {"model": "flux", "prompt": "a red fox", "aspect_ratio": "3:2"}
    made = requests.post(url, json=body, headers={"prefer": "wait=25"}, timeout=60).json()
    return requests.get(f"{url}/{made['id']}/wait", timeout=120).json()


def _fill(visit: Visit, count: int) -> None:
    """Scroll until so many operations are loaded."""
    status = "document.querySelector('.gallery-status').textContent"
    for _ in range(3 * count // PAGE):
        visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        visit.page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
        if int("0" + "".join(filter(str.isdigit, visit.page.evaluate(status)))) >= count:
            return
    raise AssertionError(f"{count} operations are not there: {visit.page.evaluate(status)}")


if __name__ == "__main__":
    main()
