"""Token usage that an upstream reports."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as OpenAI's Images API counts them (docs/protocols/openai-images.md#answers)."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_text_tokens: int = 0
    """0 when the upstream does not break its input down; the same with pictures."""
    input_image_tokens: int = 0

    def __add__(self, other: Self) -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            input_text_tokens=self.input_text_tokens + other.input_text_tokens,
            input_image_tokens=self.input_image_tokens + other.input_image_tokens,
        )


def sum_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum; `None` when there is none, or when one is unknown, because a partial sum would be wrong."""
    total = None
    for usage in usages:
        if usage is None:
            return None
        total = usage if total is None else total + usage
    return total
