"""Take the pictures of docs/studio.md from a running stack: make screenshots."""

import io
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports
from support.studio import WIDE, Visit, browsing

FOLDER = Path(__file__).parents[3] / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture."""
WISHES = (
    ("A tram crossing a bridge in the rain at night, reflections", "16:9", 41),
    ("Terraced hills in fog, ink and gold leaf", "1:1", 7),
    ("An orange tree in a walled courtyard, watercolour", "2:3", 12),
    ("Three pears and a blue jug, oil on canvas", "3:2", 23),
    ("A lighthouse on a cliff at blue hour, long exposure", "16:9", 3),
    ("A paper boat on a canal", "1:1", 58),
    ("The last bus in a small town", "9:16", 19),
    ("A red fox asleep in fresh snow, soft morning light", "3:2", 31),
    ("A greenhouse at dawn", "2:3", 77),
    ("Dunes after a storm", "16:9", 64),
)
FAILS_OVER = "A harbour in winter, etching [fault http-503 x3]"


def main() -> None:
    """Start a stack, make pictures, and save every view."""
    with tempfile.TemporaryDirectory() as state, Stack(_settings(Path(state))) as stack, browsing() as browser:
        for prompt, ratio, seed in WISHES:
            _make(stack, prompt=prompt, aspect_ratio=ratio, seed=seed)
        moved = _make(stack, prompt=FAILS_OVER, aspect_ratio="3:2", seed=5, metadata={"order": "1207"})
        last = _make(stack, prompt=WISHES[0][0], aspect_ratio="16:9", seed=88)
        create, operation = f"#/create?op={last['id']}", f"#/operation/{moved['id']}"
        _take(browser, stack, "studio-create", create, ".result .tile img")
        _take(browser, stack, "studio-gallery", "#/gallery", ".gallery-tile img", color_scheme="dark")
        _take(browser, stack, "studio-operation", operation, ".timeline")


def _settings(state: Path) -> Any:
    stand_ins = StandIns(build_app(latency_seconds=0.5), STAND_IN_SECRETS)
    return replace(on_free_ports(state), stand_ins=stand_ins)


def _make(stack: Stack, **wish: Any) -> Any:
    made = requests.post(
        f"{stack.base_url}/v1/operations", json={"model": "flux", **wish}, headers={"prefer": "wait=25"}, timeout=60
    ).json()
    waited = requests.get(f"{stack.base_url}/v1/operations/{made['id']}/wait", timeout=120).json()
    assert waited["state"] == "succeeded", waited
    return waited


def _take(browser: Any, stack: Stack, name: str, view: str, ready: str, **options: Any) -> None:
    options = {"viewport": WIDE, "locale": "en-US", "reduced_motion": "reduce"} | options
    visit = Visit(browser.new_context(**options).new_page(), stack.base_url, stack.aws_endpoint)
    visit.watch()
    page = visit.open(view)
    page.wait_for_selector(ready)
    visit.until("[...document.images].every((image) => image.complete && !image.classList.contains('fading'))")
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").save(FOLDER / f"{name}.webp", quality=88, method=6)
    size = (FOLDER / f"{name}.webp").stat().st_size
    assert size < LARGEST, f"{name} has {size} bytes"
    sys.stdout.write(f"docs/images/{name}.webp: {size} bytes\n")
    page.context.close()


if __name__ == "__main__":
    main()
