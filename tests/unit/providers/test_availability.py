"""Which credentials a provider lacks is found out without sending anything."""

import pytest

from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpResponse, Reach
from imagegate.providers import registry
from imagegate.providers.availability import cached_names, missing_secrets, needed_secrets
from imagegate.providers.reachability import check_provider
from imagegate.providers.routes_file import parse_routes
from support.fakes import FakeClock, NoSecrets, ScriptedHttp

TARGETS = {target.provider: target.model for route in registry.routes() for target in route.targets}
FREE = {"black-forest-labs", "voodoohop", "bedrock"}
"""They need no credential of imagegate's."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_provider_says_what_it_lacks_until_it_lacks_nothing(name: str) -> None:
    table, names = registry.builtin(), set[str]()
    asked = 0
    while missing := missing_secrets(table, name, TARGETS[name], names):
        assert names.isdisjoint(missing)
        names.add(missing[0])
        asked += 1
        assert asked < 5
    assert bool(asked) is (name not in FREE)
    assert not missing_secrets(table, name, TARGETS[name], STAND_IN_SECRETS)


def test_a_provider_says_all_that_it_needs_with_alternatives() -> None:
    table = registry.builtin()
    assert needed_secrets(table, "voodoohop", TARGETS["voodoohop"]) == []
    assert needed_secrets(table, "yandexart", TARGETS["yandexart"]) == [
        ("YC_FOLDER_ID",),
        ("YC_API_KEY", "YC_IAM_TOKEN"),
    ]


def test_names_are_read_once_in_a_while() -> None:
    clock, read = FakeClock(), [frozenset({"A"}), None]
    names = cached_names(lambda: read.pop(0), clock.now, 60)
    assert [names(), names()] == [{"A"}, {"A"}]
    clock.sleep(60)
    assert names() is None


MINE = """\
[providers.mine]
protocol = "openai_images"
base_url = "https://mine.example.com/v1/"
keys = { MY_KEY = "Bearer" }
[models.mine]
route = ["mine/sdxl"]
"""


@pytest.mark.parametrize(
    ("status", "reached", "key"),
    [(200, True, True), (401, True, False), (403, True, False), (404, True, None), (500, True, None)],
)
def test_a_check_asks_for_something_free(status: int, reached: bool, key: bool | None) -> None:
    http, asked = ScriptedHttp([HttpResponse(status, {}, b"")]), []

    def confine(reach: Reach) -> ScriptedHttp:
        asked.append(reach)
        return http

    found = check_provider(parse_routes(MINE), "mine", NoSecrets({"MY_KEY": "k"}), confine)
    assert (found.reached, found.key, found.detail) == (reached, key, f"HTTP {status}")
    [request] = http.requests
    assert (request.method, request.url) == ("GET", "https://mine.example.com/v1/models")
    assert request.headers["authorization"] == "Bearer k"
    assert asked == [Reach()]


def test_a_check_without_the_key_sends_nothing() -> None:
    http = ScriptedHttp()
    found = check_provider(parse_routes(MINE), "mine", NoSecrets(), lambda reach: http)
    assert (found.reached, http.requests) == (False, [])
    assert "not available" in found.detail
