"""Signature Version 4 on requests to AWS services that are reached through the Http port."""

from functools import cache
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import AwsService

_SIGNED = ("host", "content-type", "accept")
"""Headers that are signed beside AWS's own."""


def sign(request: httpx.Request, service: AwsService) -> None:
    """Add the signature of this process's own role. Raises UpstreamError(auth) when it has no credentials."""
    credentials = _credentials()
    if credentials is None:
        raise UpstreamError(Failure(FailureCode.AUTH, f"There are no AWS credentials to call {service.name} with."))
    headers = {name: request.headers[name] for name in _SIGNED if name in request.headers}
    signed = AWSRequest(request.method, str(request.url), headers, request.read())
    SigV4Auth(credentials.get_frozen_credentials(), service.name, service.region).add_auth(signed)
    request.headers.update(dict(signed.headers.items()))


@cache
def _credentials() -> Any:
    """They renew themselves, so one object serves the process."""
    return get_session().get_credentials()
