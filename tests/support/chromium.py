"""A headless Chromium that visits a page of ours, under any host name; the page reports to the server it came from."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE = 60.0
PAGE = Path(__file__).with_name("attempts.html")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)


@dataclass
class Site:
    """A web server with one page that makes the attempts it is given, one after the other."""

    port: int = 0
    attempts: Sequence[Mapping[str, Any]] = ()
    outcomes: dict[str, Any] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)

    def origin(self, host: str) -> str:
        """Its origin under this name."""
        return f"http://{host}:{self.port}"


@contextmanager
def hosting() -> Iterator[Site]:
    """A site on a free port of this machine."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = PAGE.read_text().replace("ATTEMPTS", json.dumps(site.attempts)).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            site.outcomes = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()
            site.reported.set()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attempt(site: Site, host: str, attempts: Sequence[Mapping[str, Any]], profile: Path) -> dict[str, Any]:
    """What came of every attempt, by its name, of the site's page visited under this host name."""
    site.attempts, site.outcomes = attempts, {}
    site.reported.clear()
    command = [binary(), *_OPTIONS, f"--user-data-dir={profile}", f"{site.origin(host)}/"]
    # A pipe for debugging keeps a headless browser open; without one it would end when the page has loaded.
    command.insert(1, "--remote-debugging-port=0")
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert site.reported.wait(PATIENCE), "the page did not report"
    finally:
        browser.kill()
        browser.wait(PATIENCE)
    return site.outcomes


def document(url: str, profile: Path) -> str:
    """What the browser shows at an address."""
    command = [binary(), *_OPTIONS, f"--user-data-dir={profile}", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=PATIENCE).stdout


def binary() -> str:
    """The program of the browser."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    assert found, "Chromium is not here. On Debian: apt-get install chromium; or name it in the variable CHROMIUM"
    return found
