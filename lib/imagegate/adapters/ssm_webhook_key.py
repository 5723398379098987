"""The deployment's key for webhook secrets: an SSM SecureString that the first who needs it makes."""

import base64
import secrets
from contextlib import suppress
from typing import Any

from imagegate.domain.access.encryption import KEY_BYTES
from imagegate.domain.errors import Unreachable


class SsmWebhookKey:
    """Reads the key once per process."""

    def __init__(self, client: Any, name: str, *, makes: bool = True) -> None:
        """`makes`: where there is none yet, it is made."""
        self._client = client
        self._name = name
        self._makes = makes
        self._kept = b""

    def __call__(self) -> bytes:
        """The key, the same for every function of the deployment. Raises Unreachable when it is not to be made."""
        self._kept = self._kept or self._read() or self._made()
        return self._kept

    def _read(self) -> bytes:
        try:
            answer = self._client.get_parameter(Name=self._name, WithDecryption=True)
        except self._client.exceptions.ParameterNotFound:
            return b""
        return base64.b64decode(answer["Parameter"]["Value"])

    def _made(self) -> bytes:
        if not self._makes:
            raise Unreachable("There is no secret to sign with: the deployment's key for them is gone.")
        value = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        with suppress(self._client.exceptions.ParameterAlreadyExists):  # another process was faster
            self._client.put_parameter(Name=self._name, Value=value, Type="SecureString", Overwrite=False)
        return self._read()
