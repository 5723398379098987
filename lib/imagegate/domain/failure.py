"""Failures of attempts and operations: their codes, a reason for the caller, and the exceptions that carry one."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from imagegate.domain.characters import masked
from imagegate.domain.errors import ImagegateError
from imagegate.domain.redaction import without_credentials


class FailureCode(StrEnum):
    """Why an attempt or an operation failed.

    The first twelve codes are common to all upstreams (docs/protocols/providers.md#error-vocabulary);
    the rest are imagegate's own.
    """

    INVALID_REQUEST = "invalid_request"
    AUTH = "auth"
    NO_CREDIT = "no_credit"
    CONTENT_FILTERED = "content_filtered"
    RATE_LIMITED = "rate_limited"
    CAPACITY = "capacity"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_FAILED = "upstream_failed"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"
    BAD_PAYLOAD = "bad_payload"
    NOT_FOUND = "not_found"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    BUDGET_EXCEEDED = "budget_exceeded"
    CANCELLED = "cancelled"
    INTERNAL = "internal"

    @classmethod
    def _missing_(cls, value: object) -> "FailureCode":
        """Read a code that a later version has written as `internal`."""
        return cls.INTERNAL


_SURELY_FREE = {FailureCode.RATE_LIMITED, FailureCode.CAPACITY}
_FINAL = {FailureCode.INVALID_REQUEST, FailureCode.CONTENT_FILTERED, FailureCode.CANCELLED}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed, in a message for the caller."""

    code: FailureCode
    message: str
    """One sentence; never a secret, never a traceback."""
    retry_after: float | None = None
    """Seconds after which the upstream said to come back."""

    def __post_init__(self) -> None:
        """Take credentials, control and bidirectional characters out of what an upstream said."""
        object.__setattr__(self, "message", without_credentials(masked(" ".join(self.message.split()))))

    @property
    def final(self) -> bool:
        """True when another provider would not help: the request itself was refused."""
        return self.code in _FINAL

    def redacted(self, provider: str) -> Self:
        """The same reason without the message of `provider`, which may repeat a private prompt."""
        message = f"{provider}: {self.code.replace('_', ' ')}. Its message is not kept, as the caller requested."
        return replace(self, message=message)

    @property
    def certainly_free(self) -> bool:
        """True when the upstream cannot have charged for the attempt."""
        return self.code in _SURELY_FREE


class UpstreamError(ImagegateError):
    """An upstream refused, failed or answered nonsense."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


class SecretsUnreadable(UpstreamError):
    """The upstream's credentials could not be read; it was not asked, so this says nothing about it."""
