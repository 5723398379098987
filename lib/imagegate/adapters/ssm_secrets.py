"""Upstream credentials in SSM Parameter Store (SecureString)."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.domain.failure import Failure, FailureCode, SecretsUnreadable

_TTL = 300.0
_UNREADABLE = Failure(FailureCode.CAPACITY, "The upstream's credentials cannot be read at the moment.")


class SsmSecrets:
    """Reads all parameters below one path at once, ten a call, and keeps them for five minutes.

    SSM takes 40 reads a second from an account, so a process reads once, however many secrets its upstreams look for.
    """

    def __init__(
        self, make_client: Callable[[], Any], path: str, *, one_by_one: bool = False, absence_seconds: float = 60.0
    ) -> None:
        """`make_client` is called once, when the first secret is needed: free providers need none.

        `one_by_one`: reads each secret by its name, for a role that may not read all of them. `absence_seconds`: for
        how long a secret that was not there is taken not to be there, as it may be set at any time.
        """
        self._absence_seconds = absence_seconds
        self._make_client = make_client
        self._path = path.rstrip("/")
        self._one_by_one = one_by_one
        self._kept: dict[str, tuple[float, dict[str, str]]] = {}

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def get(self, name: str) -> str | None:
        """The secret of that name, or `None` when it was never set.

        While SSM does not answer, the one that was read last; where there is none, raises SecretsUnreadable: the
        upstream was not asked yet.
        """
        together = name if self._one_by_one else ""
        read_at, found = self._kept.get(together, (float("-inf"), {}))
        if time.monotonic() - read_at > (_TTL if name in found else self._absence_seconds):
            try:
                found = self._read_one(name) if self._one_by_one else dict(self._read_all())
            except (ClientError, BotoCoreError) as error:
                logging.warning("the secret %s cannot be read: %s", name, error)
                if together not in self._kept:
                    raise SecretsUnreadable(_UNREADABLE) from error
            self._kept[together] = (time.monotonic(), found)
        return found.get(name)

    def put(self, name: str, value: str) -> None:
        """Set a secret, or replace it."""
        self._client.put_parameter(Name=f"{self._path}/{name}", Value=value, Type="SecureString", Overwrite=True)

    def names(self) -> list[str]:
        """The names of all secrets that are set; no value is decrypted."""
        return sorted(name for name, _ in self._read_all(decrypted=False))

    def _read_all(self, *, decrypted: bool = True) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("get_parameters_by_path")
        for page in pages.paginate(Path=self._path, Recursive=True, WithDecryption=decrypted):
            for parameter in page["Parameters"]:
                yield parameter["Name"].removeprefix(f"{self._path}/"), parameter["Value"]

    def _read_one(self, name: str) -> dict[str, str]:
        try:
            answer = self._client.get_parameter(Name=f"{self._path}/{name}", WithDecryption=True)
        except self._client.exceptions.ParameterNotFound:
            return {}
        return {name: answer["Parameter"]["Value"]}
