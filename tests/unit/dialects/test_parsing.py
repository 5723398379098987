"""Bodies before any dialect's own rules."""

import pytest

from imagegate.dialects.parsing import document_of
from imagegate.domain.errors import InvalidRequest


def test_every_text_that_utf8_can_write_is_taken() -> None:
    assert document_of(rb'{"a": "\ud83e\udd8a", "b": "\\ud800"}') == {"a": "🦊", "b": r"\ud800"}


@pytest.mark.parametrize("body", [rb'{"a": "\ud800"}', rb'{"\uDFFF": 1}', rb'{"a": [{"b": "\udd8a\ud83e"}]}'])
def test_half_a_surrogate_pair_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        document_of(body)
