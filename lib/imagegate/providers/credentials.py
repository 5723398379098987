"""Upstream credentials: which secret is shown to whom, and how. No secret ever gets into a message."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import Secrets

_log = logging.getLogger(__name__)


class MissingSecret(UpstreamError):
    """A provider needs a credential that is not set."""

    def __init__(self, provider: str, names: tuple[str, ...]) -> None:
        """`names`: the secrets of which one has to be set, the best first."""
        super().__init__(Failure(FailureCode.AUTH, f"{provider} is not available here."))
        self.names = names


@contextmanager
def without_log() -> Iterator[None]:
    """Log no missing secrets, for those who only look which are missing."""
    _log.disabled = True
    try:
        yield
    finally:
        _log.disabled = False


_PLACE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_DOUBLED_SLASH = re.compile(r"(?<!:)/{2,}")


def authorization(provider: str, secrets: Secrets, schemes: Mapping[str, str]) -> dict[str, str]:
    """The `authorization` header for the first secret that is set; `schemes` is secret name to scheme, best first.

    Empty for a provider that wants no key. Raises UpstreamError(auth) when it wants one and none is set.
    """
    for name, scheme in schemes.items():
        if value := _read(secrets, name):
            return {"authorization": f"{scheme} {value}"}
    if schemes:
        raise _missing(provider, *schemes)
    return {}


def fill_in(provider: str, secrets: Secrets, template: str) -> str:
    """`template` with every `{SECRET_NAME}` in it replaced. Raises UpstreamError(auth) when one is not set."""

    def value(place: re.Match[str]) -> str:
        found = _read(secrets, place[1])
        if not found:
            raise _missing(provider, place[1])
        return found

    return _PLACE.sub(value, template)


def fill_in_base_url(provider: str, secrets: Secrets, template: str) -> str:
    """A base URL whose host is a secret, `{ACME_URL}/v1`; the secret may lack `https://` or end in a slash."""
    url = fill_in(provider, secrets, template)
    return _DOUBLED_SLASH.sub("/", url if "://" in url else f"https://{url}")


def _read(secrets: Secrets, name: str) -> str:
    # A secret pasted with its line's end would make an illegal header.
    return (secrets.get(name) or "").strip()


def _missing(provider: str, *names: str) -> MissingSecret:
    """The error for a caller, who can do nothing about it; what the operator can do is logged."""
    hint = f"imagegate secrets set {' (or '.join(names)}{')' * (len(names) - 1)}"
    _log.warning("%s has no key set: %s", provider, hint)
    return MissingSecret(provider, names)
