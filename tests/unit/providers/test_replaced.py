"""An upstream whose own base URL in UpstreamBaseUrls cannot be read is not asked, there nor anywhere else."""

import pytest

from imagegate.domain.errors import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ticket
from imagegate.domain.request.request import ImageRequest
from imagegate.local.upstreams.app import STAND_IN_SECRETS
from imagegate.providers import registry
from imagegate.providers.replaced import reach
from support.fakes import NoSecrets, ScriptedHttp

PROVIDERS = sorted(registry.provider_names())
ORDER = UpstreamRequest(ImageRequest("a fox", ()), "m")
LOST = [None, dict.fromkeys(PROVIDERS, "")]


def test_one_that_is_replaced_is_asked_there_and_others_where_they_are() -> None:
    http = ScriptedHttp()
    assert reach("a", "https://a", {"a": "http://b"}, http) == ("http://b", http)
    assert reach("c", "https://c", {"a": "http://b"}, http) == ("https://c", http)
    assert reach("expander", "", {}, http) == ("", http)


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
