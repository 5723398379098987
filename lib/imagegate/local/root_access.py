"""AWS clients of the embedded stack, with its root key."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from imagegate.local.ministack_process import REGION, ROOT_KEY, ROOT_SECRET


@dataclass(frozen=True)
class RootAccess:
    """Makes boto3 sessions and clients that talk to one MiniStack."""

    endpoint: str

    def session(self) -> boto3.Session:
        """Return a session that knows the root key and the region; pass `endpoint` to its clients."""
        return boto3.Session(ROOT_KEY, ROOT_SECRET, region_name=REGION)

    def client(self, service: str) -> Any:
        """Return a client of `service` ("dynamodb", "s3", …). Proxies of the environment are not used."""
        config = Config(
            proxies={},
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 2},
            signature_version="v4" if service != "s3" else "s3v4",
            s3={"addressing_style": "path"},
        )
        return self.session().client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
