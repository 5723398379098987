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
    # Our calls are tested on servers that check them; checking each again takes a fifteenth of its CPU.
    parameter_validation=False,
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
    made: Any = session().create_client(service, region_name=region, config=config)
    made._ruleset_resolver = _KeptEndpoints(made._ruleset_resolver)
    if service == "dynamodb":
        # botocore makes the classes of a client's errors at their first use. When two threads come first at once it
        # makes them twice, and `except` waits for another class than the one that is raised.
        _ = made.exceptions
    return made


class _KeptEndpoints:
    """Resolves the endpoint of each operation once: beside S3 (s3_images.py) no parameter of ours changes it."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._kept: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolver, name)

    def construct_endpoint(self, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        """The endpoint for a call, which botocore resolves by a set of rules."""
        name = operation_model.name
        if name not in self._kept:
            self._kept[name] = self._resolver.construct_endpoint(operation_model, call_args, request_context)
        return self._kept[name]
