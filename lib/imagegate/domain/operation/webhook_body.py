"""The body of a webhook: Standard Webhooks' envelope around an event, always small. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagegate.domain.operation.events import truncate_texts

LARGEST = 20_000
"""Bytes, exclusive; Standard Webhooks asks for less than 20 kB."""
_ABRIDGEMENTS = ((500, True), (500, False), (100, False))
"""Characters left of a text, and whether the metadata stays; tried in this order."""
_ATTEMPTS, _LONGEST_REASON = 3, 100
_ADDRESSES = ("images", "urls", "webhook")
"""Fields that are useless when cut, and always short."""
Data = Mapping[str, Any]


def build_body(event: str, data: Data) -> str:
    """The JSON to send. A large operation is cut to what fits, and marked `abridged`.

    `event`: a word of `webhook.EVENTS`. `data`: the event's detail with the URLs of its pictures.
    """
    for candidate in _ever_smaller(data):
        document = {"type": f"image_generation.{event}", "timestamp": candidate["operation"]["updated_at"]}
        text = json.dumps({**document, "data": candidate}, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) < LARGEST:
            return text
    raise AssertionError("a body without texts is small")


def _ever_smaller(data: Data) -> Iterator[Data]:
    yield data
    for longest, with_metadata in _ABRIDGEMENTS:
        yield {**data, "abridged": True, "operation": _abridged(data["operation"], longest, with_metadata)}


def _abridged(operation: Data, longest: int, with_metadata: bool) -> Data:
    kept = {name: operation[name] for name in _ADDRESSES if name in operation}
    metadata = operation["metadata"] if with_metadata else {}
    attempts = truncate_texts(operation["attempts"][-_ATTEMPTS:], _LONGEST_REASON)
    return {**truncate_texts(operation, longest), **kept, "metadata": metadata, "attempts": attempts}
