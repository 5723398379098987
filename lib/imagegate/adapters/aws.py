"""boto3 clients, one of each kind per process."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Every call here is small. Four attempts of five seconds, with the pauses between them, still fit into the half minute
# for which API Gateway waits: the request is answered, if only with what broke down.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=5,
    # Between two calls a function is frozen, for longer than what is on the way keeps a silent connection; a call on
    # a dead one would wait for its whole timeout.
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 4},
)


@cache
def client(service: str) -> Any:
    """The process's client for `service`, made on first use."""
    # boto3 itself reads AWS_DEFAULT_REGION and the profile only.
    region = os.environ.get("AWS_REGION")
    return boto3.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]
