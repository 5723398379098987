"""A browser for all tests, and a visitor of the studio for each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imagegate.local.stack.stack import Stack
from support.studio import WIDE, Visit, browsing

Visits = Callable[..., Visit]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with browsing() as running:
        yield running


@pytest.fixture(scope="session")
def key(cli: Callable[..., dict[str, Any]]) -> str:
    return str(cli("create", "--name", "visitor", "--pictures-per-day", "5000", "--json")["key"])


@pytest.fixture
def visits(browser: Any, closed: Stack) -> Iterator[Visits]:
    """Opens tabs, each of a visitor of its own; options are those of a browser context."""
    made: list[Visit] = []

    def visit(**options: Any) -> Visit:
        options = {"viewport": WIDE, "locale": "en-US", "permissions": ["clipboard-read", "clipboard-write"]} | options
        context = browser.new_context(**options)
        made.append(Visit(context.new_page(), closed.base_url, closed.aws_endpoint))
        made[-1].watch()
        return made[-1]

    yield visit
    for each in made:
        each.page.context.close()
        assert each.foreign() == []
        assert each.errors == []


@pytest.fixture
def visitor(visits: Visits, key: str) -> Visit:
    """A visitor who has entered the key, in the view Create."""
    visit = visits()
    visit.sign_in(key)
    return visit
