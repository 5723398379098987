"""AWS clients of the embedded stack, with its root key."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from imagegate.local.ministack.process import REGION
from imagegate.local.root_credentials import RootCredentials


@dataclass(frozen=True)
class RootAccess:
    """Makes boto3 sessions and clients that talk to one MiniStack."""

    endpoint: str
    credentials: RootCredentials

    def session(self) -> boto3.Session:
        """Return a session that knows the root key and the region; pass `endpoint` to its clients."""
        return boto3.Session(self.credentials.access_key_id, self.credentials.secret_access_key, region_name=REGION)

    def variables(self) -> dict[str, str]:
        """Return what the AWS CLI and SDKs read from their environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
        }

    def client(self, service: str) -> Any:
        """Return the process's client of `service` ("dynamodb", "s3", …). Proxies of the environment are not used."""
        return _client(self, service)


@cache
def _client(access: RootAccess, service: str) -> Any:
    """Making a client takes 50 ms, and clients may be shared by threads."""
    config = Config(
        proxies={},
        connect_timeout=5,
        read_timeout=60,
        retries={"total_max_attempts": 2},
        signature_version="v4" if service != "s3" else "s3v4",
        s3={"addressing_style": "path"},
    )
    return access.session().client(service, endpoint_url=access.endpoint, config=config)  # type: ignore[call-overload]
