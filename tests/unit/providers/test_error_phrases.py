"""Refusals that only their words tell."""

from imagegate.domain.failure import FailureCode
from imagegate.providers.error_phrases import code_from_text


def test_the_beginning_of_a_text_decides() -> None:
    assert code_from_text("model x is not allowed") is FailureCode.NOT_FOUND
    assert code_from_text("something else") is None
    # The pattern above takes long over a page that says "model" a million times.
    assert code_from_text(f"{'model ' * 1000} is not allowed") is None
