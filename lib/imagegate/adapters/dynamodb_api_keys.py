"""API keys in the operations table: `pk` = `apikey#<id>`, the key as JSON in `body`, and its `version`.

All of them also stand in the index `owner` under one owner that no operation can have, so that listing them
reads nothing else. They carry no `expires_at`: that is the table's TTL, and an expired key is still to be seen.
"""

from collections.abc import Sequence
from typing import Any

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.errors import Conflict
from imagegate.domain.operation.document import dumps, loads

_OWNER_INDEX = "owner"
_DIRECTORY = "apikeys"
"""In the place of an owner; too short to be a key's id."""


class DynamoDBApiKeys:
    """The ApiKeys port on the operations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key_id: str) -> ApiKey | None:
        """Read one as it is now, a revocation of this moment included."""
        answer = self._client.get_item(TableName=self._table, Key=_pk(key_id), ConsistentRead=True)
        item = answer.get("Item")
        return loads(ApiKey, item["body"]["S"]) if item else None

    def put(self, key: ApiKey) -> None:
        """Write a new key or the next version of one. Raises Conflict unless the stored version is the one before."""
        try:
            self._client.put_item(TableName=self._table, Item=_item(key), **_condition(key))
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"Key {key.id} was changed by another request at the same moment; try again.") from error

    def every(self) -> Sequence[ApiKey]:
        """All keys, the oldest first. One that is seconds old may be missing."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_OWNER_INDEX,
            KeyConditionExpression="#owner = :directory",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":directory": {"S": _DIRECTORY}},
        )
        found = (self.get(item["id"]["S"]) for page in pages for item in page["Items"])
        return sorted((key for key in found if key), key=lambda key: key.created_at)


def _pk(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"apikey#{key_id}"}}


def _item(key: ApiKey) -> dict[str, Any]:
    return {
        **_pk(key.id),
        "owner": {"S": _DIRECTORY},
        "id": {"S": key.id},
        "version": {"N": str(key.version)},
        "body": {"S": dumps(key)},
    }


def _condition(key: ApiKey) -> dict[str, Any]:
    if key.version == 1:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    before = {":before": {"N": str(key.version - 1)}}
    return {"ConditionExpression": "version = :before", "ExpressionAttributeValues": before}
