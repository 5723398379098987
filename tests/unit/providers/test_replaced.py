"""An upstream whose own base URL in UpstreamBaseUrls cannot be read is not asked, there nor anywhere else."""

from dataclasses import dataclass

import pytest

from imagegate.domain.errors import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ticket
from imagegate.domain.request.request import ImageRequest
from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.ports.upstreams import HttpRequest
from imagegate.providers import registry
from imagegate.providers.replaced import reach, with_replaced_urls
from support.fakes import NoSecrets, ScriptedHttp


@dataclass(frozen=True)
class _Config:
    auth_url: str


PROVIDERS = sorted(registry.provider_names())
ORDER = UpstreamRequest(ImageRequest("a fox", ()), "m")
LOST = [None, dict.fromkeys(PROVIDERS, "")]


def test_a_replaced_url_is_used_and_others_stay() -> None:
    http = ScriptedHttp()
    assert reach("a", "https://a", {"a": "http://b"}, http) == ("http://b", http)
    assert reach("c", "https://c", {"a": "http://b"}, http) == ("https://c", http)
    assert reach("expander", "", {}, http) == ("", http)


def test_further_urls_are_replaced_by_their_own_names() -> None:
    config = _Config(auth_url="https://auth.example")
    assert with_replaced_urls("a", config, {"a": "http://b", "other.auth_url": "http://c"}) is config
    assert with_replaced_urls("a", config, {"a.auth_url": "http://d"}) == _Config(auth_url="http://d")


def test_no_request_is_sent_when_a_further_url_cannot_be_read() -> None:
    http = ScriptedHttp()
    _, way = reach("a", "https://a", {"a": "http://b", "a.auth_url": ""}, http)
    with pytest.raises(UpstreamError, match="UpstreamBaseUrls"):
        way.send(HttpRequest("GET", "http://b"))
    assert reach("ab", "https://ab", {"a.auth_url": ""}, http) == ("https://ab", http)


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("replaced", LOST)
def test_a_submission_fails_for_good_and_reaches_no_server(name: str, replaced: dict[str, str] | None) -> None:
    http = ScriptedHttp()
    provider = registry.Providers(http, NoSecrets(STAND_IN_SECRETS), replaced)(name)
    with pytest.raises(UpstreamError, match="UpstreamBaseUrls") as raised:
        provider.submit(ORDER)
    assert raised.value.failure.code is FailureCode.AUTH
    assert http.requests == []


@pytest.mark.parametrize("name", ["black-forest-labs", "yandexart"])
def test_a_job_that_runs_already_is_not_lost(name: str) -> None:
    http = ScriptedHttp()
    provider = registry.Providers(http, NoSecrets(STAND_IN_SECRETS), None)(name)
    with pytest.raises(UpstreamError, match="UpstreamBaseUrls"):
        provider.check(Ticket({"event_id": "e", "prefix": "", "id": "1"}), 0.0)
    assert http.requests == []
