"""Upstream credentials in SSM Parameter Store (SecureString)."""

import time
from typing import Any

_TTL = 300.0


class SsmSecrets:
    """Reads parameters below one path; answers, absence included, are kept for five minutes."""

    def __init__(self, client: Any, path: str) -> None:
        self._client = client
        self._path = path.rstrip("/")
        self._kept: dict[str, tuple[float, str | None]] = {}

    def get(self, name: str) -> str | None:
        """The secret of that name, or `None` when it was never set."""
        read_at, value = self._kept.get(name, (float("-inf"), None))
        if time.monotonic() - read_at > _TTL:
            value = self._read(name)
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
