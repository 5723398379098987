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

    def _read(self, name: str) -> str | None:
        try:
            answer = self._client.get_parameter(Name=f"{self._path}/{name}", WithDecryption=True)
        except self._client.exceptions.ParameterNotFound:
            return None
        value: str = answer["Parameter"]["Value"]
        return value
