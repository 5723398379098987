"""The deployment's signing secret: 32 random bytes in an item of the operations table (docs/adr/0005)."""

import secrets
from contextlib import suppress
from typing import Any

_PK = {"pk": {"S": "signing"}}
_BYTES = 32


class DynamoDBSigningSecret:
    """Reads the secret once per process; the first one who asks in a deployment makes it."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._kept = b""

    def __call__(self) -> bytes:
        """The secret, the same for every function of the deployment."""
        self._kept = self._kept or self._read() or self._made()
        return self._kept

    def _read(self) -> bytes:
        answer = self._client.get_item(TableName=self._table, Key=_PK, ConsistentRead=True)
        return bytes(answer["Item"]["secret"]["B"]) if "Item" in answer else b""

    def _made(self) -> bytes:
        item = {**_PK, "secret": {"B": secrets.token_bytes(_BYTES)}}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):  # another process was faster
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")
        return self._read()
