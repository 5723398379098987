"""Pages of another origin. What API Gateway says of CORS the embedded stack does not say; what S3 does, it says."""

from collections.abc import Callable
from typing import Any

import requests

from imagegate.local.stack.stack import Stack

ORIGIN = "null"
"""What a browser calls the page's origin after a redirect to another host."""


def test_a_page_reads_the_picture_it_is_redirected_to(
    closed: Stack, cli: Callable[..., dict[str, Any]], until: Callable[..., Any]
) -> None:
    key = {"Authorization": f"Bearer {cli('create', '--name', 'page', '--json')['key']}"}
    body = {"model": "flux", "prompt": "a cat for a page"}
    made = requests.post(f"{closed.base_url}/v1/operations", json=body, headers=key).json()
    url = f"{closed.base_url}/v1/images/{made['id']}-0"
    location = until(lambda: requests.get(url, headers=key, allow_redirects=False).headers.get("location"))
    sent = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-stainless-lang,x-stainless-os",
    }
    preflight = requests.options(location, headers={"Origin": ORIGIN} | sent)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-stainless-os" in preflight.headers["Access-Control-Allow-Headers"]
    read = requests.get(location, headers={"Origin": ORIGIN})
    assert (read.status_code, read.headers["Access-Control-Allow-Origin"]) == (200, "*")
    sent["Access-Control-Request-Method"] = "PUT"
    assert requests.options(location, headers={"Origin": ORIGIN} | sent).status_code == 403
