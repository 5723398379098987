"""How a call fails: from what was answered over HTTP to gRPC's status.

The codes are those of docs/protocols/yandexart.md#errors; where a body names none, the HTTP status decides.
"""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.json_format import ParseDict, ParseError
from google.rpc import error_details_pb2  # noqa: F401  registers the details that bodies may carry
from google.rpc.status_pb2 import Status

INVALID_ARGUMENT, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 4, 12, 13, 14
_UNKNOWN = 2
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 409: 10, 413: 3, 429: 8, 499: 1, 500: 13, 501: 12, 502: 14}
_CODES |= {503: 14, 504: 4}
_MESSAGE_BYTES = 1200
"""gRPC sends a message in a header, percent-encoded to up to three times this; clients take 8 KB of headers."""


class CallFailed(Exception):
    """The call ends without an answer; `status` says why, `headers` go to the caller with it."""

    def __init__(self, status: Status, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status.message)
        self.status = status
        self.headers = headers or {}


def failed(code: int, message: str) -> CallFailed:
    """A failure with this message."""
    return CallFailed(Status(code=code, message=_short(message)))


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> CallFailed:
    """What an HTTP answer that is no success says, in any of the shapes of gateways and OpenAI's servers."""
    document = _object_in(body)
    error = document.get("error")
    inner = error if isinstance(error, dict) else {}
    message = document.get("message") or inner.get("message") or f"HTTP {status} without a reason."
    code = _grpc_code(document.get("code")) or _grpc_code(inner.get("grpcCode")) or _CODES.get(status, _UNKNOWN)
    grpc_status = Status(code=code, message=_short(str(message)), details=_packed(document.get("details")))
    return CallFailed(grpc_status, headers)


def _grpc_code(value: Any) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 16 else None


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _packed(details: Any) -> list[Packed]:
    """Those of `details` whose types are known here."""
    found = []
    for detail in details if isinstance(details, list) else []:
        try:
            found.append(ParseDict(detail, Packed()))
        except ParseError:
            continue
    return found


def _short(message: str) -> str:
    whole = message.encode()
    return message if len(whole) <= _MESSAGE_BYTES else whole[:_MESSAGE_BYTES].decode(errors="ignore") + "…"
