"""A visitor of the studio in a real browser: Playwright drives the machine's Chromium.

Whatever a test does, the visit must load nothing from elsewhere and report no error of the page.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.chromium import binary

PATIENCE = 60_000
"""Milliseconds for any condition of a page: machines may be busy."""
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 375, "height": 812}
AXE = Path(__file__).parents[1] / "clients" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def browsing() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary(), args=["--no-sandbox", "--no-proxy-server"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A tab on the studio, and what it asked for."""

    page: Any
    base: str
    pictures: str
    """The origin of the bucket."""
    sends_to: str = ""
    """Where this visitor may send large pictures."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Kind and address of every request."""
    errors: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note requests, and errors of the page. Refusals that a test causes are errors of the gateway, not of it."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.asked.append((request.resource_type, request.url)))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self, where: str = "") -> Any:
        """Go to a view, as a person who types its address."""
        self.page.goto(f"{self.base}/{where}")
        return self.page

    def sign_in(self, key: str, where: str = "") -> Any:
        """Open a view and enter the key that it asks for."""
        page = self.open(where)
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("main .view > *")
        return page

    def until(self, expression: str) -> None:
        """Wait until it is true. Playwright's own wait evaluates text in the page, which the page's policy forbids."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"not so within {PATIENCE / 1000} s: {expression}"
            self.page.wait_for_timeout(100)

    def make(self, prompt: str, *, wait: bool = True) -> None:
        """Have a picture made in the view Create."""
        self.page.get_by_label("Prompt", exact=True).fill(prompt)
        self.page.get_by_role("button", name="Make it").click()
        if wait:
            self.page.wait_for_selector(".result .dot.succeeded, .result .dot.failed")

    def run_copied(self, kind: str, key: str, folder: Path) -> str:
        """Copy the code of that kind from the panel that is open, run it in the folder, and return what it prints."""
        self.page.get_by_role("tab", name=kind, exact=True).click()
        self.page.get_by_role("dialog").get_by_role("button", name="Copy").click()
        code = self.page.evaluate("navigator.clipboard.readText()")
        assert key not in code
        (folder / "code").write_text(code)
        program = ["bash"] if code.startswith(("curl", "imagegate")) else [sys.executable]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "IMAGEGATE_API_KEY": key, "IMAGEGATE_URL": self.base, "PATH": path}
        command = [*program, folder / "code"]
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, cwd=folder)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def foreign(self) -> list[tuple[str, str]]:
        """Requests that left the gateway, but for pictures in its bucket, and those that a test sends there."""
        own = (f"{self.base}/", "data:", f"blob:{self.base}/")
        return [
            (kind, url)
            for kind, url in self.asked
            if not url.startswith(own)
            and not (kind == "image" and url.startswith(f"{self.pictures}/"))
            and not (kind == "xhr" and url == self.sends_to)
        ]

    def complaints(self) -> list[str]:
        """What axe-core finds in the page as it is."""
        if not self.page.evaluate("'axe' in window"):
            # By the protocol, because the page's own policy forbids foreign scripts in it.
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
        return [f"{each['id']}: {each['nodes'][0]['html'][:150]}" for each in found["violations"]]

    def widest(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
