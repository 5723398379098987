"""Exceptions of imagegate.

ImagegateError
├── RequestError           the caller has to change something
│   ├── Unauthenticated    no API key, or none that is valid
│   ├── Forbidden          the API key is not allowed to do this
│   ├── InvalidRequest     a field is missing, malformed or out of range
│   ├── CannotExpand       this deployment does not expand prompts
│   ├── TooLarge           it has more bytes than are taken
│   ├── UnsupportedEncoding   it is compressed in a way that is not supported
│   ├── UnknownModel       no route of that name
│   ├── ModelNotAvailable  none of the model's providers has a key here
│   ├── UnknownProvider    the model's route has no provider of that name
│   ├── UnknownOperation   no such operation, or it belongs to another owner
│   ├── UnknownImage       the operation has no such picture
│   ├── Overtaken          others wrote the same thing at the same moment
│   ├── WrongState         the operation cannot be changed that way as it stands
│   ├── WebhookRefused     a webhook's URL leads where nothing is sent to
│   ├── KeyReused          an Idempotency-Key came with another request than before
│   ├── Gone               it was there; its retention has ended
│   └── RateLimited        the API key has used what it may for now
│       └── QuotaExhausted the API key has used what it may today
├── UpstreamError          an upstream said no, or said nothing; carries a Failure (domain/failure.py)
├── Unreachable            a webhook's receiver could not be reached
├── Conflict               another writer was first: read it again
├── Claimed                an operation with the same key is there (domain/operation/coalescing.py)
└── MisconfiguredError     the deployment has to change something
"""


class ImagegateError(Exception):
    """Root of everything imagegate raises on purpose."""


class RequestError(ImagegateError):
    """The caller has to change something; `remedy` says what."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.remedy = remedy

    def call_param(self, name: str) -> None:
        """Name the field as the caller does."""
        self.message = self.message.replace(f"'{self.param}'", f"'{name}'")
        self.param = name


class Unauthenticated(RequestError):
    """No API key, or none that is valid; the message never repeats what was presented."""

    code = "invalid_api_key"


class Forbidden(RequestError):
    """The API key is valid, but not for this model."""

    code = "model_not_allowed"


class InvalidRequest(RequestError):
    """A field is missing, malformed or out of range; `param` names it."""


class CannotExpand(RequestError):
    """This deployment does not expand prompts."""

    code = "expansion_unavailable"


class TooLarge(RequestError):
    """The body, or what of it would have to be kept, has more bytes than are taken."""

    code = "request_too_large"


class UnsupportedEncoding(RequestError):
    """The body is compressed in a way that is not supported; the message names it."""

    code = "unsupported_encoding"


class UnknownModel(RequestError):
    """No route of that name; the message lists the known ones."""

    code = "model_not_found"


class ModelNotAvailable(RequestError):
    """No provider of the model has a key here; the message lists models that are available, and the missing key."""

    code = "model_not_available"


class UnknownProvider(RequestError):
    """The model's route has no provider of that name; the message lists those it has."""

    code = "provider_not_found"


class UnknownOperation(RequestError):
    """No such operation, or it belongs to another owner, which looks the same on purpose."""

    code = "operation_not_found"


class UnknownImage(RequestError):
    """The operation has no such picture."""

    code = "image_not_found"


class WrongState(RequestError):
    """The operation cannot be changed that way as it stands (it has ended, or it has not)."""

    code = "wrong_state"


class Overtaken(RequestError):
    """Other requests wrote the same thing at the same moment, again and again: repeat it."""

    code = "conflict"


class WebhookRefused(RequestError):
    """A webhook's URL is malformed, or leads where nothing is sent to."""

    code = "webhook_refused"


class KeyReused(RequestError):
    """An Idempotency-Key came with another request than before."""

    code = "idempotency_key_reused"


class Gone(RequestError):
    """It was there; its retention has ended."""

    code = "gone"


class RateLimited(RequestError):
    """The API key asks too often, or has too many operations under way: wait a moment."""

    code = "rate_limit_exceeded"

    def __init__(
        self, message: str, *, retry_after: float | None = None, param: str | None = None, remedy: str | None = None
    ) -> None:
        """`retry_after`: seconds after which it is worth asking again; `None` when it never is."""
        super().__init__(message, param=param, remedy=remedy)
        self.retry_after = retry_after


class QuotaExhausted(RateLimited):
    """The API key has not enough left of what it may make or spend in a day."""

    code = "insufficient_quota"


class Unreachable(ImagegateError):
    """A webhook's receiver could not be reached, or did not answer; the message is fit for its owner."""


class Conflict(ImagegateError):
    """The operation was written since it was read."""


class MisconfiguredError(ImagegateError):
    """The deployment lacks a setting or has a wrong one; raised at cold start."""
