"""The certificate that `imagegate serve --sign` signs with: made where there is none, and renewed before its end."""

from collections.abc import Callable

import pytest

from imagegate.cli.signing import provide_self_signed
from imagegate.domain.errors import InvalidRequest
from imagegate.local import signing_chain
from imagegate.local.signing_chain import make_chain
from support.signing import MemoryParameters

Make = Callable[..., str]


@pytest.fixture
def make_for_days(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a chain that is valid for so many days, less five minutes."""

    def make(days: int, *organization: str) -> str:
        with monkeypatch.context() as patched:
            patched.setattr(signing_chain, "_DAYS", days)
            return make_chain(*organization)

    return make


def provide(parameters: MemoryParameters) -> str:
    return provide_self_signed(parameters, "dev", " --local --state-dir there")


def test_one_is_made_where_there_is_none_and_stays() -> None:
    parameters = MemoryParameters(None)
    assert "imagegate self-signed" in provide(parameters)
    kept = parameters.value
    assert "replaces" not in provide(parameters)
    assert parameters.value == kept


@pytest.mark.parametrize("days", [0, 29])
def test_one_that_was_made_here_is_replaced_before_its_end(make_for_days: Make, days: int) -> None:
    before = make_for_days(days)
    parameters = MemoryParameters(before)
    assert "; it replaces one that is valid until 20" in provide(parameters)
    assert parameters.value not in (before, None)
    assert "replaces" not in provide(parameters)


@pytest.mark.parametrize(("days", "refused"), [(0, True), (29, False)])
def test_one_of_an_authority_is_never_replaced(make_for_days: Make, days: int, refused: bool) -> None:
    own = make_for_days(days, "A Company")
    parameters = MemoryParameters(own)
    if not refused:
        assert "A Company" in provide(parameters)
    else:
        with pytest.raises(InvalidRequest, match=r"A Company signer,O=A Company expired on 20\d\d-") as raised:
            provide(parameters)
        assert "signing set --local --state-dir there chain.pem key.pem" in str(raised.value.remedy)
    assert parameters.value == own


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Cannot be used") as raised:
        provide(MemoryParameters("nonsense"))
    assert "Serve without --sign" in str(raised.value.remedy)
