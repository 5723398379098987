"""Errors of AWS as one sentence for the command line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from imagegate.domain.errors import ImagegateError

_REMEDIES: dict[type[Exception], str] = {
    NoCredentialsError: "Set AWS_PROFILE, or log in with 'aws configure' or 'aws sso login'.",
    NoRegionError: "Set AWS_REGION, or AWS_PROFILE to a profile that has one.",
    EndpointConnectionError: "Check the network; with --local, start 'imagegate serve' first.",
    ConnectTimeoutError: "Check the network.",
}
_REFUSED_CREDENTIALS = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")


class AwsError(ImagegateError):
    """An AWS call failed; the message says why and what to do."""


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the SDK's exceptions into AwsError."""
    try:
        yield
    except ClientError as error:
        raise AwsError(_refusal(error.response.get("Error", {}))) from error
    except BotoCoreError as error:
        raise AwsError(f"{_sentence(str(error))} {_REMEDIES.get(type(error), '')}".strip()) from error


def _refusal(error: Mapping[str, Any]) -> str:
    code, message = error.get("Code", ""), _sentence(error.get("Message", ""))
    if code in _REFUSED_CREDENTIALS:
        return f"AWS does not accept the credentials ({code}). Log in again, or set another AWS_PROFILE."
    if "AccessDenied" in code:
        return f"{message} Use credentials that may do this."
    return f"AWS refused ({code}): {message}"


def _sentence(text: str) -> str:
    return text.strip().rstrip(".:") + "."
