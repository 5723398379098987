"""Refusals that only their text tells from other 400s, in one place for all upstreams that write them.

Texts: docs/protocols/yandexart.md#errors (YandexART, and its OpenAI-compatible successor) and
docs/protocols/openai-images.md#answers.
"""

import re

from imagegate.domain.failure import FailureCode

_TEXTS = (
    # First, for these speak of content policies too: the whole account is blocked, whatever the prompt.
    (re.compile(r"temporarily blocked", re.IGNORECASE), FailureCode.AUTH),
    (re.compile(r"(incorrect|invalid) api.?key", re.IGNORECASE), FailureCode.AUTH),
    (re.compile(r"queue full for ip", re.IGNORECASE), FailureCode.RATE_LIMITED),
    (re.compile(r"used all available credits|spending limit|not enough credits", re.IGNORECASE), FailureCode.NO_CREDIT),
    # An upstream that its own upstream does not let in: no key of ours is wrong.
    (re.compile(r'"detail"\s*:\s*"unauthorized"', re.IGNORECASE), FailureCode.UPSTREAM_FAILED),
    (re.compile(r"violate the terms of use|не могу сгенерировать", re.IGNORECASE), FailureCode.CONTENT_FILTERED),
    (
        re.compile(r"safety system|content (policy|filter|moderation)|\bnsfw\b", re.IGNORECASE),
        FailureCode.CONTENT_FILTERED,
    ),
    # These are faults of the deployment, not of the request: another provider may well help.
    (re.compile(r"folder id", re.IGNORECASE), FailureCode.AUTH),
    (re.compile(r"model.?uri|\bmodel\b.*\bnot allowed", re.IGNORECASE), FailureCode.NOT_FOUND),
)

_LONGEST = 4000
"""Characters that are searched: some of the patterns take long over millions of them."""


def code_from_text(text: str) -> FailureCode | None:
    """The code that a refusal's text stands for, or None when it is not known."""
    return next((code for pattern, code in _TEXTS if pattern.search(text[:_LONGEST])), None)
