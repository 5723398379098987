"""`imagegate serve --public-url`: everything that a client is handed works through the proxy's one address."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import build_app
from support.stack_settings import on_free_ports

PUBLIC = "https://images.example.com"
pytestmark = [pytest.mark.slow, pytest.mark.integration]


def test_pictures_come_through_the_public_address(tmp_path: Path) -> None:
    settings = on_free_ports(tmp_path)
    parameters = {**settings.parameters, "HoldSeconds": "1"}
    stand_ins = StandIns(build_app(latency_seconds=3))
    with Stack(replace(settings, parameters=parameters, stand_ins=stand_ins, public_url=PUBLIC)) as stack:
        for base in (stack.base_url, stack.long_hold_url or ""):
            through_proxy(base)


def through_proxy(base: str) -> None:
    """Ask as a proxy does, which knows nothing but one port."""
    session = requests.Session()
    session.headers["host"] = "images.example.com"
    url = f"{base}/v1/images/generations"
    while True:
        body = {"model": "flux", "prompt": f"a fox at {base}", "n": 2}
        answer = session.request("GET" if "hop=" in url else "POST", url, json=body, allow_redirects=False)
        if answer.status_code != 303:
            break
        url = urljoin(base, answer.headers["location"])
        assert url.startswith(base), "a hop stays at the address that was asked"
    answer.raise_for_status()
    document = answer.json()
    pictures = [datum["url"] for datum in document["data"]]
    link = session.get(f"{base}/v1/images/{document['operation_id']}-0", allow_redirects=False).headers["location"]
    for picture in (*pictures, link):
        assert picture.startswith(f"{PUBLIC}/")
        there = picture.replace(PUBLIC, base)
        got = session.get(there)
        assert (got.status_code, got.headers["content-type"], got.content[:4]) == (200, "image/webp", b"RIFF")
        assert session.get(there.replace("X-Amz-Signature=", "X-Amz-Signature=0")).status_code == 403
    form = session.post(f"{base}/v1/uploads", json={"content_type": "image/png"}).json()
    assert form["url"].startswith(f"{PUBLIC}/")
    small, page = {"file": b"\x89PNG\r\n\x1a\n"}, {"origin": PUBLIC}
    sent = session.post(form["url"].replace(PUBLIC, base), data=form["fields"], files=small, headers=page)
    assert sent.status_code == 204
