"""Upstream credentials in SSM Parameter Store (SecureString)."""

import logging
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.domain.errors import Failure, FailureCode, SecretsUnreadable

_TTL = 300.0
_UNREADABLE = Failure(FailureCode.CAPACITY, "The upstream's credentials cannot be read at the moment.")


class SsmSecrets:
    """Reads parameters below one path; answers, absence included, are kept for five minutes."""

    def __init__(self, make_client: Callable[[], Any], path: str) -> None:
        """`make_client` is called once, when the first secret is needed: free providers need none."""
        self._make_client = make_client
        self._path = path.rstrip("/")
        self._kept: dict[str, tuple[float, str | None]] = {}

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def get(self, name: str) -> str | None:
        """The secret of that name, or `None` when it was never set.

        While SSM does not answer, the one that was read last; where there is none, raises SecretsUnreadable: SSM
        takes 40 reads a second, more processes than that may start at once, and their upstreams were not asked yet.
        """
        read_at, value = self._kept.get(name, (float("-inf"), None))
        if time.monotonic() - read_at > _TTL:
            try:
                value = self._read(name)
            except (ClientError, BotoCoreError) as error:
                logging.warning("the secret %s cannot be read: %s", name, error)
                if name not in self._kept:
                    raise SecretsUnreadable(_UNREADABLE) from error
            self._kept[name] = (time.monotonic(), value)
        return value

    def put(self, name: str, value: str) -> None:
        """Set a secret, or replace it."""
        self._client.put_parameter(Name=f"{self._path}/{name}", Value=value, Type="SecureString", Overwrite=True)

    def names(self) -> list[str]:
        """The names of all secrets that are set; no value is decrypted."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._path, Recursive=True)
        found = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
        return sorted(name.removeprefix(f"{self._path}/") for name in found)

    def _read(self, name: str) -> str | None:
        try:
            answer = self._client.get_parameter(Name=f"{self._path}/{name}", WithDecryption=True)
        except self._client.exceptions.ParameterNotFound:
            return None
        value: str = answer["Parameter"]["Value"]
        return value
