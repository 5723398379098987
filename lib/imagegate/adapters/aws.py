"""AWS clients, one of each kind per process.

They are botocore's own. boto3 makes the same ones; only importing it costs 30 ms of CPU in every cold start.
"""

import os
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session

# Every call here is small. Four attempts of five seconds, with the pauses between them, still fit into the half minute
# for which API Gateway waits: the request is answered, if only with what broke down.
_ATTEMPTS = 4
_CONFIG = Config(
    # botocore builds its own from the environment, twice in every call.
    user_agent="imagegate",
    connect_timeout=3,
    read_timeout=5,
    # Between two calls a function is frozen, for longer than what is on the way keeps a silent connection; a call on
    # a dead one would wait for its whole timeout.
    tcp_keepalive=True,
)


@cache
def session() -> Session:
    """The process's session, which has the credentials and parses each of botocore's data files once."""
    return Session()


@cache
def client(service: str, attempts: int = _ATTEMPTS) -> Any:
    """The process's client for `service`, made on first use. `attempts`: at most, of each call."""
    # botocore itself reads AWS_DEFAULT_REGION and the profile only.
    region = os.environ.get("AWS_REGION") or None
    config = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    return session().create_client(service, region_name=region, config=config)
