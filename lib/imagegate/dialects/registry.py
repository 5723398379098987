"""Every API that clients can speak. A new one is a folder in `dialects`, a folder in `web`, and its line here."""

from collections.abc import Mapping

from imagegate.dialects.dialect import Dialect
from imagegate.dialects.mcp.dialect import MCP
from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.dialects.openai_chat.dialect import OPENAI_CHAT
from imagegate.dialects.openai_responses.dialect import OPENAI_RESPONSES
from imagegate.dialects.operations.dialect import OPERATIONS
from imagegate.dialects.yandexart.dialect import YANDEXART

_ALL: tuple[Dialect, ...] = (
    OPENAI_IMAGES,
    YANDEXART,
    OPERATIONS,
    MCP,
    OPENAI_RESPONSES,
    OPENAI_CHAT,
)
"""The first that owns a path gets it: OpenAI's paths under `/v1/images/` come before those of pictures."""
DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
"""By the name that operations store."""


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; OpenAI's for a name that another version of imagegate stored."""
    return DIALECTS.get(name, OPENAI_IMAGES)


def dialect_at(path: str, query: bytes = b"") -> Dialect:
    """The dialect that a request speaks; OpenAI's where no API owns the path."""
    return next((dialect for dialect in DIALECTS.values() if dialect.owns(path, query)), OPENAI_IMAGES)
