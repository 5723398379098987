"""boto3 clients, one of each kind per process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Short timeouts: every call here is small, and a Lambda that hangs on one helps nobody.
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})


@cache
def client(service: str) -> Any:
    """The process's client for `service`, made on first use."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]
