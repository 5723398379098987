"""Ten thousand operations for the studio's gallery, without making them."""

import base64
from typing import Any

MANY, PAGE = 10_000, 100


def serve_many(page: Any, operation: dict[str, Any]) -> None:
    """Answer the page's lists with MANY copies of an operation, PAGE at a time, and its pictures with nothing."""

    def answer(route: Any) -> None:
        token = route.request.url.partition("page_token=")[2]
        first = int(base64.b64decode(token + "==")) if token else 0
        operations = [{**operation, "id": f"{first + at:020d}"} for at in range(PAGE)]
        after = base64.b64encode(str(first + PAGE).encode()).decode().rstrip("=")
        following = after if first + PAGE < MANY else None
        route.fulfill(json={"operations": operations, "next_page_token": following})

    page.route("**/v1/operations?*", answer)
    page.route("**/v1/images/**", lambda route: route.fulfill(status=204))
